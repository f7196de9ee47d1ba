#include "io/make_stream.hpp"
#include "io/report.hpp"
#include "io/server_core.hpp"

#include <rondo/task/detail/launch.hpp>

#include <utility>

namespace rondo::detail {

served_connection::served_connection(counted_ptr<server_core> server, stream_core& stream)
    : done_node(&handler_ended), server_(std::move(server)), stream_(&stream) {
    stream.observe(this);
}

void served_connection::handle(stream_reader reader, stream_writer writer) noexcept {
    server_core& server = *server_;
    called_ = true;
    try {
        std::optional<coro<>> body = std::get<0>(server.work_)->call(std::move(reader), std::move(writer));
        if (!body) {
            leave_if_over();
            return;
        }
        const task<> t = launch(server.loop_, {.where = server.where_}, *std::move(body));
        task_ = counted_ptr<future_state>(t.state());
    } catch (...) {
        failed(std::current_exception(), "unhandled exception in connection handler");
        leave_if_over();
        return;
    }
    task_->add_done_node(*this);
}

void served_connection::handle(protocol_stream& stream) noexcept {
    called_ = true;
    try {
        std::shared_ptr<protocol> made = std::get<1>(server_->work_)->make();
        if (!made) throw runtime_error("a protocol factory has returned null");
        stream.begin(std::move(made));
    } catch (...) {
        failed(std::current_exception(), "a protocol factory failed");
    }
    leave_if_over();
}

void served_connection::handler_ended(done_node& node, future_state& task) noexcept {
    auto& self = static_cast<served_connection&>(node);
    if (task.state() == future_state::status::error) {
        task.mark_observed();
        if (is_exit_request(task.error())) self.stream_->close();
        else self.failed(task.error(), "unhandled exception in connection handler", &task);
    } else if (task.state() != future_state::status::value) {
        self.stream_->close();
    }
    self.task_ = {};
    self.leave_if_over();
}

/// `task`: the handler's, when it was one.
void served_connection::failed(std::exception_ptr error, const char* what, future_state* task) noexcept {
    transport& on = stream_->face();
    error_report about{.message = std::string(what) + " (" + stream_->describe() + ")",
                       .exception = std::move(error),
                       .transport = &on,
                       .created_at = server_->created_at(),
                       .any_transport = &on,
                       .socket = stream_->descriptor()};
    if (task && task->is_task()) about.task = static_cast<task_record*>(task);
    stream_->close();
    report_soon(server_->loop_, std::move(about), stream_, counted_ptr<future_state>(task));
}

void served_connection::cancel_handler(const std::string& reason) {
    if (task_) task_->cancel(reason);
    else stream_->close();
}

void served_connection::drop() noexcept {
    called_ = true;
    leave_if_over();
}

void served_connection::stream_lost(stream_core&) noexcept { leave_if_over(); }

void served_connection::leave_if_over() noexcept {
    if (!called_ || task_ || !stream_->is_lost()) return;
    const counted_ptr<server_core> server = std::move(server_);
    server->remove(*this);
    delete this;
}

} // namespace rondo::detail
