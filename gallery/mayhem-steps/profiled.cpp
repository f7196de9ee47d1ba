// profiled: which part of the service keeps the loop busy.
#include "mayhem-steps/service.hpp"

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace mayhem {

namespace {

// region profile
/// How long the tasks of one name have kept the loop busy, and in how many steps.
struct busy_time : rondo::instrument {
    struct row {
        int steps = 0;
        rondo::duration busy{};
    };
    std::map<std::string, row> rows;
    rondo::time_point began;

    void before_task_step(const rondo::any_task&) override { began = rondo::clock::now(); }
    void after_task_step(const rondo::any_task& task) override {
        row& r = rows[task.name()];
        ++r.steps;
        r.busy += rondo::clock::now() - began;
    }
};
// endregion

/// Something to write down, checked with a sum that takes a while to compute.
unsigned checksum(int id) {
    auto sum = static_cast<unsigned>(id);
    for (int i = 0; i < 20'000'000; ++i) sum = sum * 1'664'525 + 1'013'904'223;
    return sum;
}

// region suspects
rondo::coro<> save_with_checksum(request r) {
    r.host += " #" + std::to_string(checksum(r.id));
    co_await save(r);
}
rondo::coro<> save_with_checksum_from_a_thread(request r) {
    r.host += " #" + std::to_string(co_await rondo::to_thread(checksum, r.id));
    co_await save(r);
}
// endregion

} // namespace

rondo::coro<> profiled() {
    const auto profile = std::make_shared<busy_time>();
    rondo::add_instrument(profile);
    co_await rondo::task_group::run([](rondo::task_group& group) -> rondo::coro<> {
        for (int id = 1; id <= 3; ++id) {
            group.create_task({.name = "restart"}, restart_host, request{id});
            group.create_task({.name = "save"}, save_with_checksum, request{id});
            group.create_task({.name = "save, from a thread"}, save_with_checksum_from_a_thread, request{id});
        }
        co_return;
    });
    rondo::remove_instrument(profile);
    for (const auto& [name, r] : profile->rows)
        std::printf("%-20s %3d steps %9.3f ms busy\n", name.c_str(), r.steps,
                    std::chrono::duration<double, std::milli>(r.busy).count());
}

} // namespace mayhem
