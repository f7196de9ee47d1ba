#include "io/file_core.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/running_here.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

namespace rondo::detail {

file_core::file_core(event_loop& loop, int fd, std::string path)
    : loop_(loop),
      os_(loop_access::backend(loop).os()),
      service_(service<io_service>(loop)),
      fd_(fd),
      path_(std::move(path)) {
    service_.add(*this);
}

file_core::~file_core() { close(); }

void file_core::close() noexcept {
    closed_ = true;
    close_if_unused();
}

void file_core::close_if_unused() noexcept {
    if (!closed_ || uses_ > 0 || fd_ < 0) return;
    os_.close(release());
}

int file_core::release() noexcept {
    closed_ = true;
    service_.remove(*this);
    return std::exchange(fd_, -1);
}

std::uint64_t file_core::checked(std::int64_t result, const char* what) const {
    if (result < 0) throw_os_error(static_cast<int>(-result), doing(what));
    return static_cast<std::uint64_t>(result);
}

file_core::use::use(const std::shared_ptr<file_core>& core, const char* doing, bool at_position)
    : core_(core), at_position_(at_position) {
    if (!core_) throw runtime_error(std::string(doing) + ": the file is closed");
    if (core_->closed_) throw runtime_error(core_->doing(doing) + ": the file is closed");
    check_runs_here(core_->loop_, "a file");
    if (at_position && core_->at_position_)
        throw runtime_error(core_->doing(doing) + ": another read() or write() at its position is going on");
    if (at_position) core_->at_position_ = true;
    ++core_->uses_;
}

file_core::use::~use() {
    if (at_position_) core_->at_position_ = false;
    --core_->uses_;
    core_->close_if_unused();
}

} // namespace rondo::detail
