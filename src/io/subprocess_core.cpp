#include "io/subprocess_core.hpp"

#include <rondo/coro/exceptions.hpp>

#include <csignal>
#include <string>
#include <utility>

namespace rondo::detail {

void retain(subprocess_core& s) noexcept { s.add_reference(); }
void release(subprocess_core& s) noexcept { s.drop_reference(); }

/// What one pipe tells. Holds the core until its loss was told.
class subprocess_core::pipe_protocol final : public protocol {
public:
    pipe_protocol(counted_ptr<subprocess_core> of, int number) noexcept : of_(std::move(of)), number_(number) {}

    void data_received(std::span<const std::byte> data) override { of_->pipe_data(number_, data); }
    void connection_lost(std::exception_ptr error) override { of_->pipe_lost(number_, error); }
    void pause_writing() override { of_->pipe_full(true); }
    void resume_writing() override { of_->pipe_full(false); }

private:
    counted_ptr<subprocess_core> of_;
    int number_;
};

counted_ptr<subprocess_core> subprocess_core::make(event_loop& loop, started_process started,
                                                   std::source_location where) {
    auto made = counted_ptr<subprocess_core>::adopt(new subprocess_core(loop, where));
    try {
        made->add_pipe(loop, 0, started.in);
        made->add_pipe(loop, 1, started.out);
        made->add_pipe(loop, 2, started.err);
    } catch (...) {
        made->disconnect();
        made->pipes_ = {}; // which hold this
        throw;
    }
    made->process_ = std::move(started.core);
    return made;
}

void subprocess_core::add_pipe(event_loop& loop, int number, descriptor_guard& from) {
    if (from.fd() < 0) return;
    pipe& made = pipes_[static_cast<std::size_t>(number)];
    made.told = std::make_shared<pipe_protocol>(counted_ptr<subprocess_core>(this), number);
    const stream_kind kind = number == 0 ? stream_kind::write_pipe : stream_kind::read_pipe;
    made.stream = protocol_stream::make(loop, from.take(), kind, address(), made_at_);
}

void subprocess_core::begin(std::shared_ptr<subprocess_protocol> p, future<> made) noexcept {
    protocol_ = std::move(p);
    made_ = std::move(made);
    add_reference();
    tell_soon(); // before the pipes have their turns
    for (pipe& each : pipes_) {
        if (!each.stream) continue;
        ++open_pipes_;
        each.stream->begin(std::exchange(each.told, nullptr));
    }
    process_->observe(*this);
}

std::shared_ptr<subprocess_transport> subprocess_core::transport() {
    return {this, [keep = counted_ptr<subprocess_core>(this)](subprocess_transport*) mutable { keep = {}; }};
}

rondo::transport* subprocess_core::get_pipe_transport(int fd) const noexcept {
    if (fd < 0 || fd > 2) return nullptr;
    const pipe& of = pipes_[static_cast<std::size_t>(fd)];
    return of.stream ? &of.stream->face() : nullptr;
}

void subprocess_core::terminate() { send_signal(SIGTERM); }
void subprocess_core::kill() { send_signal(SIGKILL); }

void subprocess_core::close() {
    if (std::exchange(closing_, true)) return;
    disconnect();
    process_->abandon();
}

void subprocess_core::disconnect() noexcept {
    for (const pipe& each : pipes_) {
        if (each.stream) each.stream->break_off();
    }
}

void subprocess_core::process_over() noexcept {
    process_over_ = true;
    tell_soon();
}

// What the pipes tell, in turns of their own

void subprocess_core::pipe_data(int number, std::span<const std::byte> data) noexcept {
    const std::shared_ptr<subprocess_protocol> to = protocol_;
    call_and_report("pipe_data_received()", to, [&] { to->pipe_data_received(number, data); });
}

void subprocess_core::pipe_lost(int number, const std::exception_ptr& error) noexcept {
    const std::shared_ptr<subprocess_protocol> to = protocol_;
    call_and_report("pipe_connection_lost()", to, [&] { to->pipe_connection_lost(number, error); });
    --open_pipes_;
    if (is_over()) tell_soon();
}

void subprocess_core::pipe_full(bool full) noexcept {
    const std::shared_ptr<subprocess_protocol> to = protocol_;
    if (full) call_and_report("pause_writing()", to, [&] { to->pause_writing(); });
    else call_and_report("resume_writing()", to, [&] { to->resume_writing(); });
}

// What the process tells

void subprocess_core::tell() noexcept {
    const counted_ptr<subprocess_core> keep(this);
    if (lost_told_) return;
    if (made_told_) {
        tell_exited();
        tell_lost();
    } else {
        tell_made();
        if (process_over_) tell_soon();
    }
}

void subprocess_core::tell_made() noexcept {
    made_told_ = true;
    call_and_report("connection_made()", protocol_, [this] { protocol_->connection_made(*this); });
    if (made_) std::exchange(made_, {}).try_set_result();
}

void subprocess_core::tell_exited() noexcept {
    if (exited_told_ || !process_over_) return;
    exited_told_ = true;
    if (!process_->status()) return;
    call_and_report("process_exited()", protocol_, [this] { protocol_->process_exited(); });
}

void subprocess_core::tell_lost() noexcept {
    if (!is_over()) return;
    lost_told_ = true;
    std::exception_ptr error;
    if (!process_->status())
        error = std::make_exception_ptr(runtime_error("the event loop was closed before the process had ended"));
    const std::shared_ptr<subprocess_protocol> to = std::exchange(protocol_, nullptr);
    call_and_report("connection_lost()", to, [&] { to->connection_lost(error); });
    drop_reference();
}

void subprocess_core::complete(error_report& about) noexcept {
    about.any_transport = this;
    about.created_at = made_at_;
}

} // namespace rondo::detail
