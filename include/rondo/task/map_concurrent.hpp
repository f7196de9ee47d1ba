// map_concurrent(): a coroutine for each item of a range, so many at a time.
#pragma once

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/task/task_group.hpp>

#include <cstddef>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

namespace detail {

template <class T> using map_result_t = std::conditional_t<std::is_void_v<T>, void, std::vector<non_void_t<T>>>;

template <class T, class V, class F> class concurrent_map {
    using item_type = std::decay_t<std::ranges::range_reference_t<V>>;

public:
    concurrent_map(V&& items, F&& fn) : items_(std::move(items)), fn_(std::move(fn)) {}

    coro<map_result_t<T>> run(std::size_t limit) {
        co_await task_group::run([&](task_group& group) -> coro<> {
            for (std::size_t workers = 0; workers < limit; ++workers) {
                auto first = take();
                if (!first) break;
                group.create_task(work(*std::move(first)));
            }
            co_return;
        });
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> values;
            values.reserve(values_.size());
            for (auto& value : values_) values.push_back(*std::move(value));
            co_return values;
        }
    }

private:
    struct job {
        std::size_t place;
        item_type item;
    };
    std::optional<job> take() {
        if (!at_) at_.emplace(std::ranges::begin(items_));
        if (*at_ == std::ranges::end(items_)) return std::nullopt;
        std::optional<job> taken(job{taken_++, **at_});
        ++*at_;
        if constexpr (!std::is_void_v<T>) values_.emplace_back();
        return taken;
    }
    coro<> work(job first) {
        for (std::optional<job> now(std::move(first)); now; now = take()) {
            if constexpr (std::is_void_v<T>) {
                co_await fn_(std::move(now->item));
            } else {
                auto value = co_await fn_(std::move(now->item));
                values_[now->place].emplace(std::move(value));
            }
        }
    }

    V items_;
    F fn_;
    std::optional<std::ranges::iterator_t<V>> at_;
    std::size_t taken_ = 0;
    std::vector<std::optional<non_void_t<T>>> values_;
};

template <class T, class V, class F> coro<map_result_t<T>> map_concurrent(V items, F fn, std::size_t limit) {
    if (limit == 0) throw value_error("map_concurrent() needs a limit of at least 1");
    concurrent_map<T, V, F> map(std::move(items), std::move(fn));
    co_return co_await map.run(limit);
}

} // namespace detail

/// Awaits fn(item) for each item of the range, at most `limit` of them at a time, and gives what they yield in the order of the
/// items; nothing for void. An item is taken from the range when its turn comes, and handed to fn as a value: the range may be
/// endless input. An rvalue range is moved into the coroutine, an lvalue has to outlive it. No limit, 0: value_error.
///
/// The rules of task_group hold: the first failure cancels the others and ends it, errors are thrown as an exception_group, and
/// nothing is left running.
///
///     std::vector<page> pages = co_await rondo::map_concurrent(urls, fetch, 8);
template <std::ranges::input_range R, class F, class T = started_t<F, std::ranges::range_reference_t<R>>>
    requires std::ranges::viewable_range<R>
RONDO_CORO_WRAPPER coro<detail::map_result_t<T>> map_concurrent(R&& range, F fn, std::size_t limit) {
    return detail::map_concurrent<T>(std::views::all(std::forward<R>(range)), std::move(fn), limit);
}

} // namespace rondo
