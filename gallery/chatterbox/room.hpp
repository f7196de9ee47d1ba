// Who is there, and what they are told: the same for both servers.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace chatterbox {

class guest;

inline constexpr std::size_t longest_line = 1024;
/// Who sends so much without a line feed does not chat, and is sent away.
inline constexpr std::size_t endless_line = 65536;
/// Bytes that wait for a guest, beside those that the kernel holds. A guest who does not read is sent away at last: nobody waits
/// for him, and what waits for him has to be kept somewhere.
inline constexpr std::size_t too_far_behind = 1 << 20;

// region room
class room {
public:
    explicit room(std::string name) : name_(std::move(name)) {}

    const std::string& name() const noexcept { return name_; }
    std::string names() const;

private:
    friend class guest;
    void tell_all(const std::string& line, const guest* except = nullptr);

    std::string name_;
    std::map<std::string, guest*, std::less<>> guests_;
};

/// Somebody at the other end of a connection.
class guest {
public:
    explicit guest(room& where) : room_(where) {}
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;
    virtual ~guest() { leave(); }

    /// Never waits.
    virtual void tell(std::string_view text) = 0;

protected:
    void welcome() { tell("Welcome to " + room_.name() + "\nUsername: "); }
    /// True: the guest is in. False: that name cannot be had, and the guest was told so and is asked again.
    bool enter(std::string name);
    /// A line of somebody who is in.
    void say(const std::string& line);
    /// True: and the guest was told so.
    bool is_too_long(std::string_view line);
    void leave();

private:
    room& room_;
    std::string name_; // empty: not in
};
// endregion

} // namespace chatterbox
