#include "io/resolver.hpp"

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/future.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include <netdb.h>

namespace rondo::detail {

namespace {

class resolver_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "resolver"; }
    std::string message(int code) const override { return ::gai_strerror(code); }
};

const std::error_category& resolver_category() noexcept {
    static const resolver_category_type category;
    return category;
}

/// What the worker's thread and the loop share. `answered` belongs to the loop's thread: null when nobody waits any more.
struct lookup {
    name_request request;
    std::vector<resolved_name> found;
    int error = 0;
    std::atomic<bool> abandoned{false};
    future<>* answered = nullptr;
};

void run_lookup(const std::shared_ptr<lookup>& job, os& names, event_loop& loop) {
    if (job->abandoned.load()) return;
    job->error = names.resolve(job->request, job->found);
    if (job->abandoned.load()) return; // by a loop that is closing, perhaps
    try {
        loop.call_soon_threadsafe([job] {
            if (job->answered) job->answered->try_set_result();
        });
    } catch (const std::exception&) { // the loop was closed: nobody waits
    }
}

} // namespace

coro<std::vector<address>> resolve(std::string host, std::uint16_t port, resolve_for purpose) {
    std::vector<address> addresses;
    if (auto numeric = address_access::parse(host, port)) {
        addresses.push_back(*std::move(numeric));
        co_return addresses;
    }
    event_loop& loop = running_loop();
    future<> answered = loop.create_future<>();
    const auto job = std::make_shared<lookup>();
    job->request = {.host = host, .port = port, .type = SOCK_STREAM, .passive = purpose == resolve_for::listening};
    job->answered = &answered;
    struct let_go {
        lookup& job;
        ~let_go() {
            job.answered = nullptr;
            job.abandoned.store(true);
        }
    } at_end{*job};
    os& names = loop_access::backend(loop).os();
    loop.default_executor().submit([job, &names, &loop] { run_lookup(job, names, loop); });
    co_await answered;

    const std::string what = "cannot resolve '" + host + "'";
    if (job->error > 0) throw std::system_error(job->error, std::system_category(), what);
    if (job->error < 0) throw std::system_error(job->error, resolver_category(), what);
    for (const resolved_name& name : job->found) {
        socket_address found;
        std::memcpy(&found.storage, name.address.data(), std::min(name.address.size(), sizeof found.storage));
        found.size = name.size;
        address a = found.to_address();
        if (std::find(addresses.begin(), addresses.end(), a) == addresses.end()) addresses.push_back(std::move(a));
    }
    if (addresses.empty()) throw std::system_error(EAI_NONAME, resolver_category(), what);
    co_return addresses;
}

} // namespace rondo::detail
