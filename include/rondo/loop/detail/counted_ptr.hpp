// A counted pointer, the one kind there is.
#pragma once

#include <utility>

namespace rondo::detail {

/// The target counts, not atomically: it belongs to its loop's thread. retain(target) and release(target) are declared beside its
/// class, so that a header may hold what it knows by name only. No larger than a pointer, and converts from none.
template <class S> class counted_ptr {
public:
    counted_ptr() noexcept = default;
    explicit counted_ptr(S* s) noexcept : target_(s) {
        if (target_) retain(*target_);
    }
    /// Takes over a count.
    static counted_ptr adopt(S* s) noexcept {
        counted_ptr p;
        p.target_ = s;
        return p;
    }
    counted_ptr(const counted_ptr& other) noexcept : counted_ptr(other.target_) {}
    counted_ptr(counted_ptr&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
    counted_ptr& operator=(counted_ptr other) noexcept {
        std::swap(target_, other.target_);
        return *this;
    }
    ~counted_ptr() {
        if (target_) release(*target_);
    }

    S* get() const noexcept { return target_; }
    S* operator->() const noexcept { return target_; }
    S& operator*() const noexcept { return *target_; }
    explicit operator bool() const noexcept { return target_ != nullptr; }
    S* leak() noexcept { return std::exchange(target_, nullptr); }

private:
    S* target_ = nullptr;
};

} // namespace rondo::detail
