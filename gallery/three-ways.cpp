// One problem with generators, fibers and coroutines: who switches where.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ucontext.h>

// Runners on one track, of which one at a time may move: each gives way in the middle of a lap. So the switch happens two calls
// deep, in lap(), which is called by race(). How do those three ways get out of there, and back in?

// region report
struct report {
    std::vector<std::string> lines;
    std::map<unsigned, std::pair<std::string, int>> switches; // by line: the function, how often

    void say(const std::string& runner, const char* what, int lap) {
        lines.push_back(runner + " " + what + " lap " + std::to_string(lap));
    }
    void switched(std::source_location where) {
        std::string_view function = where.function_name(); // with its return type and its parameters
        function = function.substr(0, function.find('('));
        function = function.substr(function.rfind(' ') + 1);
        auto& [name, times] = switches[where.line()];
        name = function.substr(function.rfind(':') + 1);
        ++times;
    }
};

std::source_location here(std::source_location where = std::source_location::current()) { return where; }
// endregion

// Generators. lap() can stop only itself: co_yield goes back to whoever called next(). So race() has to be a generator, too, and
// say that it hands over; and so has everybody who calls race().

// region generators
namespace with_generators {

using steps = rondo::generator<std::source_location>;

steps lap(report& out, std::string runner, int number) {
    out.say(runner, "begins", number);
    co_yield here();
    out.say(runner, "ends", number);
}

steps race(report& out, std::string runner, int laps) {
    for (int number = 1; number <= laps; ++number) co_yield rondo::elements_of(lap(out, runner, number));
}

report run(const std::vector<std::string>& runners, int laps) {
    report out;
    std::vector<steps> racing;
    for (const std::string& runner : runners) racing.push_back(race(out, runner, laps));
    while (!racing.empty()) {
        std::erase_if(racing, [&](steps& runner) {
            const auto where = runner.next();
            if (where) out.switched(*where);
            return !where;
        });
    }
    return out;
}

} // namespace with_generators
// endregion

// Fibers: each has a stack of its own, and give_way() exchanges the stack under the running function. That works at any depth, and
// nobody has to be told. Nobody is told, either: nothing in lap() and race() says that others run in between.

// region fibers
namespace with_fibers {

class fiber {
public:
    explicit fiber(std::function<void()> body)
        : body_(std::move(body)), stack_(std::make_unique<std::byte[]>(stack_size)) {
        getcontext(&inside_);
        inside_.uc_stack = {.ss_sp = stack_.get(), .ss_flags = 0, .ss_size = stack_size};
        inside_.uc_link = &outside_; // where it goes when the body has ended
        makecontext(&inside_, enter, 0);
    }
    /// Runs it until it gives way; false when it has ended.
    bool resume() {
        running = this;
        swapcontext(&outside_, &inside_);
        return !ended_;
    }
    static void stop() { swapcontext(&running->inside_, &running->outside_); }

private:
    static void enter() {
        running->body_();
        running->ended_ = true;
    }
    static constexpr std::size_t stack_size = 64 * 1024;
    static inline fiber* running = nullptr;

    ucontext_t inside_{}, outside_{};
    std::function<void()> body_;
    std::unique_ptr<std::byte[]> stack_;
    bool ended_ = false;
};

void give_way(report& out, std::source_location where = std::source_location::current()) {
    out.switched(where);
    fiber::stop();
}

void lap(report& out, const std::string& runner, int number) {
    out.say(runner, "begins", number);
    give_way(out);
    out.say(runner, "ends", number);
}

void race(report& out, const std::string& runner, int laps) {
    for (int number = 1; number <= laps; ++number) lap(out, runner, number);
}

report run(const std::vector<std::string>& runners, int laps) {
    report out;
    std::vector<std::unique_ptr<fiber>> racing;
    for (const std::string& runner : runners)
        racing.push_back(std::make_unique<fiber>([&] { race(out, runner, laps); }));
    while (!racing.empty()) std::erase_if(racing, [](const auto& runner) { return !runner->resume(); });
    return out;
}

} // namespace with_fibers
// endregion

// Coroutines. lap() stops with co_await, and race() awaits it; the event loop resumes the innermost one. Nobody writes a scheduler,
// no stack is set aside, and each place where others may run says co_await.

// region coroutines
namespace with_coroutines {

using rondo::coro;

auto give_way(report& out, std::source_location where = std::source_location::current()) {
    out.switched(where);
    return rondo::yield();
}

coro<> lap(report& out, std::string runner, int number) {
    out.say(runner, "begins", number);
    co_await give_way(out);
    out.say(runner, "ends", number);
}

coro<> race(report& out, std::string runner, int laps) {
    for (int number = 1; number <= laps; ++number) co_await lap(out, runner, number);
}

report run(const std::vector<std::string>& runners, int laps) {
    report out;
    rondo::run([&]() -> coro<> {
        std::vector<coro<>> racing;
        for (const std::string& runner : runners) racing.push_back(race(out, runner, laps));
        co_await rondo::gather(std::move(racing));
    });
    return out;
}

} // namespace with_coroutines
// endregion

namespace {

void print(const char* title, const report& out) {
    std::printf("%s\n", title);
    for (const std::string& line : out.lines) std::printf("  %s\n", line.c_str());
}

void print_switches(const char* way, const report& out, const char* how, const char* to_whom, const char* race) {
    std::printf("  %s\n", way);
    for (const auto& [line, place] : out.switches)
        std::printf("    %s(), line %u, %d times: %s, %s\n", place.first.c_str(), line, place.second, how, to_whom);
    std::printf("    race() %s\n", race);
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "One problem with generators, fibers and coroutines: who switches where.");
    const int laps = static_cast<int>(options.number("--laps", 2, 1, 1000, "how many laps each runs"));
    options.done();

    const std::vector<std::string> runners = {"Ann", "Bob", "Eve"};
    const report generators = with_generators::run(runners, laps);
    const report fibers = with_fibers::run(runners, laps);
    const report coroutines = with_coroutines::run(runners, laps);
    print("Generators", generators);
    print("\nFibers", fibers);
    print("\nCoroutines", coroutines);
    const bool same = generators.lines == fibers.lines && fibers.lines == coroutines.lines;
    std::printf("\nThe same: %s\n\nWho switches where\n", same ? "yes" : "no");
    print_switches("generators", generators, "co_yield", "to whoever called next()",
                   "hands over with co_yield elements_of(): it must, and it can be seen");
    print_switches("fibers", fibers, "swapcontext() in give_way()", "to whoever called resume()",
                   "just calls lap(): nothing to write, and nothing to see");
    print_switches("coroutines", coroutines, "co_await", "to the event loop",
                   "awaits lap(): it must, and it can be seen");
    return same ? 0 : 1;
}
