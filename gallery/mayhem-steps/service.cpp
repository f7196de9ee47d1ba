#include "mayhem-steps/service.hpp"

#include <cstdio>

namespace mayhem {

namespace {
rondo::time_point began;
}

void say(const std::string& text) {
    const std::chrono::duration<double> since = rondo::clock::now() - began;
    std::printf("%5.2f s  %s\n", since.count(), text.c_str());
}

rondo::coro<> restart_host(request r) {
    co_await rondo::sleep(300ms);
    say(r.host + " restarted");
}

rondo::coro<> save(request r) {
    co_await rondo::sleep(200ms);
    say(r.host + " saved");
}

rondo::coro<> publish(requests& to, int count) {
    for (int id = 1; id <= count; ++id) {
        co_await rondo::sleep(100ms);
        co_await to.put({id});
        say("request " + std::to_string(id) + " published");
    }
    to.shutdown();
}

rondo::coro<> timed(rondo::coro<> (*step)()) {
    began = rondo::clock::now();
    co_await step();
    say("done");
}

} // namespace mayhem
