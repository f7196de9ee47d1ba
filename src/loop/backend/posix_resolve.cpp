#include "loop/backend/posix_os.hpp"

#include <cerrno>
#include <cstring>
#include <new>

#include <netdb.h>
#include <sys/socket.h>

namespace rondo::detail {

int posix_os::resolve(const name_request& request, std::vector<resolved_name>& found) noexcept {
    try {
        ::addrinfo hints{};
        hints.ai_family = request.family;
        hints.ai_socktype = request.type;
        hints.ai_flags = AI_NUMERICSERV | (request.passive ? AI_PASSIVE : 0);
        const std::string service = std::to_string(request.port);
        ::addrinfo* list = nullptr;
        const int error =
            ::getaddrinfo(request.host.empty() ? nullptr : request.host.c_str(), service.c_str(), &hints, &list);
        if (error != 0) return error == EAI_SYSTEM ? errno : error;
        const std::unique_ptr<::addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
        for (const ::addrinfo* entry = list; entry; entry = entry->ai_next) {
            resolved_name name{.size = entry->ai_addrlen,
                               .family = entry->ai_family,
                               .type = entry->ai_socktype,
                               .protocol = entry->ai_protocol};
            if (name.size > name.address.size()) continue;
            std::memcpy(name.address.data(), entry->ai_addr, name.size);
            found.push_back(name);
        }
        return 0;
    } catch (const std::bad_alloc&) {
        return EAI_MEMORY;
    }
}

} // namespace rondo::detail
