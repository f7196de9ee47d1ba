#include "pipeline/consumer.hpp"

#include <utility>
#include <vector>

namespace mayhem {

namespace {

// Started in one pass of the loop: so many keep the pass well below a millisecond.
constexpr std::size_t most_at_once = 32;

rondo::coro<> handle(handler* with, delivery d, rondo::guard<rondo::semaphore>) { co_await with->handle(std::move(d)); }

} // namespace

rondo::coro<> consumer::run(rondo::task_group& handlers) {
    for (;;) {
        std::vector<rondo::guard<rondo::semaphore>> places = co_await free_places();
        for (delivery& d : co_await from_.pull(places.size())) {
            table_.enter(d.tag);
            handlers.create_task({.name = "request"}, handle, &with_, std::move(d), std::move(places.back()));
            places.pop_back();
        }
    }
}

rondo::coro<std::vector<rondo::guard<rondo::semaphore>>> consumer::free_places() {
    std::vector<rondo::guard<rondo::semaphore>> places;
    places.push_back(co_await free_.scoped_acquire());
    while (places.size() < most_at_once && !free_.locked()) places.push_back(co_await free_.scoped_acquire());
    co_return places;
}

} // namespace mayhem
