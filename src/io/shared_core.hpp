// What reader, writer and operations of one stream share: counted, not atomically, because it belongs to its loop's thread.
#pragma once

#include <cstdint>

namespace rondo::detail {

class shared_core {
public:
    shared_core() = default;
    shared_core(const shared_core&) = delete;
    shared_core& operator=(const shared_core&) = delete;

    void add_reference() noexcept { ++references_; }
    void drop_reference() noexcept {
        if (--references_ == 0) destroy();
    }

protected:
    virtual ~shared_core() = default;
    virtual void destroy() noexcept = 0;

private:
    std::uint32_t references_ = 1;
};

} // namespace rondo::detail
