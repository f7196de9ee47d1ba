// Everything that a simulated world decides by itself.
#pragma once

#include <rondo/sim/label.hpp>

#include <array>

namespace rondo::sim::detail::labels {

inline constexpr label opening_fails = "opening a socket fails";
inline constexpr label making_a_pipe_fails = "making a pipe fails";
inline constexpr label making_a_pair_fails = "making a pair of sockets fails";
inline constexpr label binding_fails = "binding fails";
inline constexpr label listening_fails = "listening fails";
inline constexpr label how_few_received = "how few bytes are received";
inline constexpr label receiving_fails = "receiving fails";
inline constexpr label reading_a_pipe_fails = "reading from a pipe fails";
inline constexpr label polling_fails = "polling fails";
inline constexpr label lost_while_receiving = "the connection is lost while receiving";
inline constexpr label sending_fails = "sending fails";
inline constexpr label lost_while_sending = "the connection is lost while sending";
inline constexpr label how_few_sent = "how few bytes are sent";
inline constexpr label how_long_under_way = "how long bytes are under way";
inline constexpr label how_small_a_window = "how small the window is";
inline constexpr label a_datagram_is_lost = "a datagram is lost";
inline constexpr label a_datagram_comes_twice = "a datagram comes twice";
inline constexpr label a_datagram_is_overtaken = "a datagram is overtaken by later ones";
inline constexpr label how_long_a_datagram = "how long a datagram is under way";
inline constexpr label looking_up_fails = "looking up a name fails";
inline constexpr label how_long_a_look_up = "how long it takes to look up a name";
inline constexpr label no_memory_to_connect = "connecting fails for want of memory";
inline constexpr label connecting_fails = "connecting fails";
inline constexpr label how_long_a_handshake = "how long a handshake takes";
inline constexpr label accepting_fails = "accepting fails";
inline constexpr label aborted_before_accepted = "a connection is aborted before it is accepted";
inline constexpr label completes_later = "an operation completes in a later pass";
inline constexpr label done_all_the_same = "a cancelled operation is done all the same";
inline constexpr label how_many_left = "how many completions are left for a later pass";
inline constexpr label which_first = "which operation completes first";
inline constexpr label how_late = "how late the loop wakes, or how early";
inline constexpr label wakes_early = "the loop wakes for nothing";
inline constexpr label how_long_a_thread_works = "how long a thread works";
inline constexpr label an_allocation_fails = "an allocation fails";
inline constexpr label main_is_cancelled = "the main task is cancelled";

/// Each of them happens in a full run of the simulator's tests: one that never did is a fault that nobody was tested for.
inline constexpr std::array all{
    opening_fails,
    making_a_pipe_fails,
    making_a_pair_fails,
    binding_fails,
    listening_fails,
    how_few_received,
    receiving_fails,
    reading_a_pipe_fails,
    polling_fails,
    lost_while_receiving,
    sending_fails,
    lost_while_sending,
    how_few_sent,
    how_long_under_way,
    how_small_a_window,
    a_datagram_is_lost,
    a_datagram_comes_twice,
    a_datagram_is_overtaken,
    how_long_a_datagram,
    looking_up_fails,
    how_long_a_look_up,
    no_memory_to_connect,
    connecting_fails,
    how_long_a_handshake,
    accepting_fails,
    aborted_before_accepted,
    completes_later,
    done_all_the_same,
    how_many_left,
    which_first,
    how_late,
    wakes_early,
    how_long_a_thread_works,
    an_allocation_fails,
    main_is_cancelled,
};

} // namespace rondo::sim::detail::labels
