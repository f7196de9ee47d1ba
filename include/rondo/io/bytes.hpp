// Bytes: bytes_view borrows, bytes owns.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

/// Bytes that belong to somebody else. An await that takes a view borrows it until it has completed; what is behind it must
/// live and stay as it is until then.
class bytes_view {
public:
    constexpr bytes_view() noexcept = default;
    constexpr bytes_view(const std::byte* data, std::size_t size) noexcept : data_(data), size_(size) {}
    bytes_view(const char* text) : bytes_view(std::string_view(text)) {}
    bytes_view(std::string_view text) noexcept
        : data_(reinterpret_cast<const std::byte*>(text.data())), size_(text.size()) {}
    bytes_view(const std::string& text) noexcept : bytes_view(std::string_view(text)) {}
    template <class T, std::size_t N>
        requires std::is_trivially_copyable_v<T>
    bytes_view(std::span<T, N> data) noexcept
        : data_(reinterpret_cast<const std::byte*>(data.data())), size_(data.size_bytes()) {}
    template <class T>
        requires(sizeof(T) == 1 && std::is_trivially_copyable_v<T>)
    bytes_view(const std::vector<T>& data) noexcept : bytes_view(std::span<const T>(data)) {}

    const std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
    operator std::span<const std::byte>() const noexcept { return {data_, size_}; }

private:
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {
struct bytes_access;
} // namespace detail

/// Owned bytes: what a stream reads. Moving is a few pointers, copying copies. Up to 256 KiB they live in blocks of the
/// thread's free lists; unlike a std::string they grow without being zeroed, so a received buffer becomes a bytes as it is.
class bytes {
public:
    bytes() noexcept = default;
    explicit bytes(bytes_view data) { *this += data; }
    explicit bytes(std::size_t count, char fill);
    bytes(const bytes& other) : bytes(bytes_view(other)) {}
    bytes(bytes&& other) noexcept
        : block_(std::exchange(other.block_, nullptr)),
          capacity_(std::exchange(other.capacity_, 0)),
          begin_(std::exchange(other.begin_, 0)),
          size_(std::exchange(other.size_, 0)) {}
    bytes& operator=(bytes other) noexcept {
        std::swap(block_, other.block_);
        std::swap(capacity_, other.capacity_);
        std::swap(begin_, other.begin_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~bytes() {
        if (block_) free_block();
    }

    std::byte* data() noexcept { return block_ + begin_; }
    const std::byte* data() const noexcept { return block_ + begin_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data()), size_}; }
    std::string str() const { return std::string(view()); }
    operator bytes_view() const noexcept { return {data(), size_}; }
    /// Amortised O(size of `more`), which may be a part of these bytes.
    bytes& operator+=(bytes_view more);

    friend bool operator==(const bytes& a, const bytes& b) noexcept { return a.view() == b.view(); }
    friend bool operator==(const bytes& a, std::string_view b) noexcept { return a.view() == b; }
    friend bool operator==(const bytes& a, const char* b) noexcept { return a.view() == b; }

private:
    friend struct detail::bytes_access;
    void free_block() noexcept;

    std::byte* block_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
};

} // namespace rondo
