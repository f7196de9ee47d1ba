#include "loop/backend/native_names.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

/// A file of code, mapped; empty where it cannot be.
class code_file {
public:
    explicit code_file(const char* path) noexcept {
        const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return;
        struct ::stat about{};
        if (::fstat(fd, &about) == 0 && about.st_size > 0) {
            size_ = static_cast<std::size_t>(about.st_size);
            void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
            if (at != MAP_FAILED) begin_ = static_cast<const char*>(at);
        }
        ::close(fd);
    }
    code_file(const code_file&) = delete;
    code_file& operator=(const code_file&) = delete;
    ~code_file() {
        if (begin_) ::munmap(const_cast<char*>(begin_), size_);
    }

    /// The function that the address lies in, as the file counts addresses; null when its table does not say.
    const char* function_at(std::uint64_t address, std::uint64_t& starts_at) const noexcept {
        const auto* head = read<ElfW(Ehdr)>(0);
        if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return nullptr;
        for (unsigned i = 0; i < head->e_shnum; ++i) {
            const auto* table = read<ElfW(Shdr)>(head->e_shoff + i * sizeof(ElfW(Shdr)));
            if (!table || table->sh_type != SHT_SYMTAB) continue;
            const auto* names = read<ElfW(Shdr)>(head->e_shoff + table->sh_link * sizeof(ElfW(Shdr)));
            if (!names) return nullptr;
            for (std::uint64_t at = 0; at + sizeof(ElfW(Sym)) <= table->sh_size; at += sizeof(ElfW(Sym))) {
                const auto* symbol = read<ElfW(Sym)>(table->sh_offset + at);
                if (!symbol) return nullptr;
                if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC) continue;
                if (address < symbol->st_value || address >= symbol->st_value + symbol->st_size) continue;
                starts_at = symbol->st_value;
                return read<char>(names->sh_offset + symbol->st_name);
            }
        }
        return nullptr;
    }

private:
    template <class T> const T* read(std::uint64_t offset) const noexcept {
        if (!begin_ || offset > size_ || size_ - offset < sizeof(T)) return nullptr;
        return reinterpret_cast<const T*>(begin_ + offset);
    }
    const char* begin_ = nullptr;
    std::size_t size_ = 0;
};

std::string hexadecimal(std::uint64_t number) {
    char text[24];
    std::snprintf(text, sizeof text, "+0x%llx", static_cast<unsigned long long>(number));
    return text;
}

std::string demangled(const char* symbol) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> plain(abi::__cxa_demangle(symbol, nullptr, nullptr, &status),
                                                            &std::free);
    return plain && status == 0 ? plain.get() : symbol;
}

} // namespace

std::vector<std::string> names_of(std::span<void* const> addresses) {
    std::map<std::string, std::unique_ptr<code_file>> files;
    std::vector<std::string> names;
    for (void* const address : addresses) {
        const auto here = reinterpret_cast<std::uintptr_t>(address);
        const std::byte* const call = static_cast<const std::byte*>(address) -
                                      (names.empty() ? 0 : 1); // what it returns to may be the next function
        ::Dl_info about{};
        ::link_map* map = nullptr;
        if (::dladdr1(call, &about, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 || !map) {
            names.emplace_back("?");
            continue;
        }
        // The program itself has no path of its own there, and may be found under another one.
        const bool program = *map->l_name == '\0';
        const std::string path = program ? "/proc/self/exe" : map->l_name;
        const std::uint64_t in_file = reinterpret_cast<std::uintptr_t>(call) - map->l_addr;
        std::unique_ptr<code_file>& file = files[path];
        if (!file) file = std::make_unique<code_file>(path.c_str());
        std::uint64_t starts_at = reinterpret_cast<std::uintptr_t>(about.dli_saddr) - map->l_addr;
        const char* symbol = file->function_at(in_file, starts_at);
        if (!symbol) symbol = about.dli_sname;
        std::string text = symbol ? demangled(symbol) + hexadecimal(here - map->l_addr - starts_at) : "?";
        text += " in " + std::string(about.dli_fname) + " (" + hexadecimal(here - map->l_addr) + ")";
        names.push_back(std::move(text));
    }
    return names;
}

} // namespace rondo::detail
