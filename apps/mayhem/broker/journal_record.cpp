#include "broker/journal_record.hpp"

#include "base/crc32c.hpp"

#include <stdexcept>
#include <type_traits>
#include <utility>

namespace mayhem {

namespace {

namespace jr = journal_record;

constexpr std::size_t head_size = 16;
constexpr std::size_t largest_payload = 16u << 20; // a message of a broker is far smaller: beyond it a size is damage
constexpr std::size_t checked_head = 12;

// Thrown by the reader inside a record whose checksums are right: written by something that is not this program.
struct malformed {};

class writer {
public:
    explicit writer(std::string& to) : to_(to) {}

    template <class Int>
        requires std::is_unsigned_v<Int>
    void number(Int value) {
        for (std::size_t i = 0; i < sizeof(Int); ++i) to_.push_back(static_cast<char>(value >> (8 * i)));
    }
    void time(wall_time t) { number(static_cast<std::uint64_t>(t.time_since_epoch().count())); }
    void text(std::string_view s) {
        number(static_cast<std::uint32_t>(s.size()));
        to_.append(s);
    }

private:
    std::string& to_;
};

class reader {
public:
    explicit reader(std::string_view from) : from_(from) {}

    template <class Int> Int number() {
        const std::string_view bytes = take(sizeof(Int));
        Int value = 0;
        for (std::size_t i = 0; i < sizeof(Int); ++i) {
            value = static_cast<Int>(
                value | static_cast<Int>(static_cast<Int>(static_cast<unsigned char>(bytes[i])) << (8 * i)));
        }
        return value;
    }
    wall_time time() {
        return wall_time(std::chrono::milliseconds(static_cast<std::int64_t>(number<std::uint64_t>())));
    }
    std::string text() { return std::string(take(number<std::uint32_t>())); }
    void finish() const {
        if (!from_.empty()) throw malformed();
    }

private:
    std::string_view take(std::size_t n) {
        if (n > from_.size()) throw malformed();
        const std::string_view taken = from_.substr(0, n);
        from_.remove_prefix(n);
        return taken;
    }
    std::string_view from_;
};

void put(writer& w, const jr::published& r) {
    w.number(r.sequence);
    w.time(r.at);
    w.text(r.payload);
}
void put(writer& w, const jr::delivered& r) {
    w.number(r.sequence);
    w.number(r.delivery);
}
void put(writer& w, const jr::acknowledged& r) { w.number(r.sequence); }
void put(writer& w, const failed_delivery& f) {
    w.number(f.delivery);
    w.time(f.at);
    w.text(f.reason);
}
void put(writer& w, const jr::failed& r) {
    w.number(r.sequence);
    put(w, r.what);
}
void put(writer& w, const jr::returned& r) { w.number(r.sequence); }
void put(writer& w, const jr::buried& r) { w.number(r.sequence); }
void put(writer& w, const jr::carried& r) {
    const message& m = r.what;
    w.number(m.sequence);
    w.time(m.published_at);
    w.text(m.payload);
    w.number(m.deliveries);
    w.number(static_cast<std::uint8_t>((m.out ? 1 : 0) | (m.dead ? 2 : 0)));
    w.number(static_cast<std::uint32_t>(m.history.size()));
    for (const failed_delivery& f : m.history) put(w, f);
}
void put(writer& w, const jr::numbered& r) { w.number(r.next_sequence); }
void put(writer& w, const jr::forgotten& r) { w.number(r.sequence); }

failed_delivery get_failure(reader& r) {
    return {.delivery = r.number<std::uint32_t>(), .at = r.time(), .reason = r.text()};
}

jr::carried get_carried(reader& r) {
    message m{.sequence = r.number<std::uint64_t>(),
              .published_at = r.time(),
              .payload = r.text(),
              .deliveries = r.number<std::uint32_t>()};
    const auto flags = r.number<std::uint8_t>();
    m.out = (flags & 1) != 0;
    m.dead = (flags & 2) != 0;
    const auto failures = r.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < failures; ++i) m.history.push_back(get_failure(r));
    return {std::move(m)};
}

record get(std::size_t kind, reader& r) {
    switch (kind) { // the order of the variant is the format: append only
    case 0: return jr::published{r.number<std::uint64_t>(), r.time(), r.text()};
    case 1: return jr::delivered{r.number<std::uint64_t>(), r.number<std::uint32_t>()};
    case 2: return jr::acknowledged{r.number<std::uint64_t>()};
    case 3: return jr::failed{r.number<std::uint64_t>(), get_failure(r)};
    case 4: return jr::returned{r.number<std::uint64_t>()};
    case 5: return jr::buried{r.number<std::uint64_t>()};
    case 6: return get_carried(r);
    case 7: return jr::numbered{r.number<std::uint64_t>()};
    case 8: return jr::forgotten{r.number<std::uint64_t>()};
    default: throw malformed();
    }
}

bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

} // namespace

void append_record(std::string& to, const record& r) {
    const std::size_t start = to.size();
    to.append(head_size, '\0');
    writer body(to);
    std::visit([&](const auto& what) { put(body, what); }, r);

    const std::string_view payload = std::string_view(to).substr(start + head_size);
    if (payload.size() > largest_payload) throw std::length_error("a journal record may have 16 MiB at most");
    std::string head;
    writer w(head);
    w.number(static_cast<std::uint32_t>(payload.size()));
    w.number(static_cast<std::uint32_t>(r.index()));
    w.number(crc32c(payload));
    w.number(crc32c(head));
    to.replace(start, head_size, head);
}

read_result read_record(std::string_view bytes) {
    // Zeros: the file system had made the file longer and not yet written the data when the machine stopped.
    if (bytes.size() < head_size || all_zero(bytes)) return {.state = record_state::torn};
    reader head(bytes.substr(0, head_size));
    const std::size_t size = head.number<std::uint32_t>();
    const std::size_t kind = head.number<std::uint32_t>();
    const auto payload_check = head.number<std::uint32_t>();
    if (head.number<std::uint32_t>() != crc32c(bytes.substr(0, checked_head)) || size > largest_payload) {
        return {.state = record_state::damaged};
    }
    if (bytes.size() - head_size < size) return {.state = record_state::torn};

    const std::string_view payload = bytes.substr(head_size, size);
    if (crc32c(payload) != payload_check) return {.state = record_state::damaged};
    try {
        reader body(payload);
        record value = get(kind, body);
        body.finish();
        return {.state = record_state::whole, .value = std::move(value), .size = head_size + size};
    } catch (const malformed&) {
        return {.state = record_state::damaged};
    }
}

} // namespace mayhem
