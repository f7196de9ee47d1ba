// guest_run() and poll_fd() in a GLib main loop.
#include "support/loop_test.hpp"

#include <rondo/task/create_task.hpp>
#include <rondo/task/guest_run.hpp>
#include <rondo/task/sleep.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include <glib-unix.h>
#include <glib.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

// region post
/// Any thread may call it; GLib calls fn soon, in the thread of its default main context.
void run_in_glib(std::function<void()> fn) {
    g_idle_add_full(
        G_PRIORITY_DEFAULT,
        [](gpointer call) -> gboolean {
            (*static_cast<std::function<void()>*>(call))();
            return G_SOURCE_REMOVE;
        },
        new std::function<void()>(std::move(fn)),
        [](gpointer call) { delete static_cast<std::function<void()>*>(call); });
}
// endregion

class GuestRunInGLib : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        if (!test::make_loop(GetParam())) GTEST_SKIP() << "this kernel has no io_uring";
        main_loop = g_main_loop_new(nullptr, FALSE);
    }
    void TearDown() override {
        if (main_loop) g_main_loop_unref(main_loop);
    }
    GMainLoop* main_loop = nullptr;
};
RONDO_ON_EACH_BACKEND(GuestRunInGLib);

// region guest
coro<std::string> fetch() {
    co_await sleep(2ms); // GLib's own timers, windows and sockets go on
    co_return "done";
}

/// Runs fetch() in a GLib main loop, and ends that with it.
std::string fetch_in_glib(GMainLoop* main_loop, std::function<std::unique_ptr<event_loop>()> make_loop) {
    std::string text;
    const auto guest = rondo::guest_run(fetch, {.run_in_host = run_in_glib,
                                                .done =
                                                    [&](result<std::string> outcome) {
                                                        text = outcome.value();
                                                        g_main_loop_quit(main_loop);
                                                    },
                                                .loop_factory = std::move(make_loop)});
    g_main_loop_run(main_loop);
    return text;
}
// endregion

TEST_P(GuestRunInGLib, MainRunsBesideItsTimers) {
    int ticks = 0;
    const guint timer = g_timeout_add(
        0,
        [](gpointer count) -> gboolean {
            ++*static_cast<int*>(count);
            return G_SOURCE_CONTINUE;
        },
        &ticks);
    EXPECT_EQ(fetch_in_glib(main_loop, [] { return test::make_loop(GetParam()); }), "done");
    EXPECT_GT(ticks, 0);
    g_source_remove(timer);
}

// region poll_fd
/// Without a thread: GLib watches the loop's descriptor by itself. The number of the source.
guint attach_to_glib(event_loop& loop) {
    return g_unix_fd_add(
        loop.poll_fd(), G_IO_IN,
        [](gint, GIOCondition, gpointer to) -> gboolean {
            static_cast<event_loop*>(to)->run_once(0s);
            return G_SOURCE_CONTINUE;
        },
        &loop);
}
// endregion

TEST_P(GuestRunInGLib, ALoopMayBeWatchedByItsDescriptorInstead) {
    const auto loop = test::make_loop(GetParam());
    const guint source = attach_to_glib(*loop);
    auto t = loop->create_task(fetch());
    t.add_done_callback([&] { g_main_loop_quit(main_loop); });
    g_main_loop_run(main_loop);
    EXPECT_EQ(t.result(), "done");
    g_source_remove(source);
    loop->close();
}

} // namespace
} // namespace rondo
