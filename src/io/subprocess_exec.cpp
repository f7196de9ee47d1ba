#include <rondo/io/subprocess_exec.hpp>

#include <rondo/coro/exceptions.hpp>

#include "io/running_here.hpp"
#include "io/start_process.hpp"
#include "io/subprocess_core.hpp"

#include <utility>

namespace rondo::detail {

coro<endpoint<subprocess_protocol, subprocess_transport>>
subprocess_exec(event_loop& loop, std::unique_ptr<protocol_factory<subprocess_protocol>> factory,
                std::vector<std::string> argv, subprocess_options options, std::source_location where) {
    check_runs_here(loop, "subprocess_exec()");
    std::shared_ptr<subprocess_protocol> protocol = factory->make();
    if (!protocol) throw runtime_error("a protocol factory has returned null");
    started_process started = co_await start_process(loop, std::move(argv), std::move(options));
    future<> made = loop.create_future<>();
    const counted_ptr<subprocess_core> core = subprocess_core::make(loop, std::move(started), where);
    core->begin(protocol, made);
    struct closing {
        subprocess_core* core;
        ~closing() {
            if (core) core->close();
        }
    } unless_made{core.get()};
    endpoint<subprocess_protocol, subprocess_transport> both{core->transport(), std::move(protocol)};
    co_await made;
    unless_made.core = nullptr;
    co_return both;
}

} // namespace rondo::detail
