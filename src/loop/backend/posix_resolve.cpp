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
        hints.ai_protocol = request.protocol;
        hints.ai_flags = request.flags | (request.passive ? AI_PASSIVE : 0);
        ::addrinfo* list = nullptr;
        const int error = ::getaddrinfo(request.host.empty() ? nullptr : request.host.c_str(),
                                        request.service.empty() ? nullptr : request.service.c_str(), &hints, &list);
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

int posix_os::name_of(const ::sockaddr* address, std::uint32_t size, int flags, std::string& host,
                      std::string& service) noexcept {
    std::array<char, NI_MAXHOST> host_text{};
    std::array<char, NI_MAXSERV> service_text{};
    const int error = ::getnameinfo(address, size, host_text.data(), host_text.size(), service_text.data(),
                                    service_text.size(), flags);
    if (error != 0) return error == EAI_SYSTEM ? errno : error;
    try {
        host = host_text.data();
        service = service_text.data();
        return 0;
    } catch (const std::bad_alloc&) {
        return EAI_MEMORY;
    }
}

} // namespace rondo::detail
