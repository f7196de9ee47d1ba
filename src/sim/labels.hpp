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
inline constexpr label which_way_to_files = "whether files are for threads";
inline constexpr label how_long_the_disk_takes = "how long the disk takes";
inline constexpr label no_descriptor_for_a_file = "there is no descriptor for a file";
inline constexpr label opening_a_file_fails = "opening a file fails";
inline constexpr label reading_a_file_fails = "reading a file fails";
inline constexpr label how_little_of_a_file_is_read = "how little of a file is read";
inline constexpr label writing_a_file_fails = "writing a file fails";
inline constexpr label how_little_of_a_file_is_written = "how little of a file is written";
inline constexpr label syncing_a_file_fails = "syncing a file fails";
inline constexpr label what_a_failed_sync_loses = "what a failed sync loses";
inline constexpr label closing_a_file_fails = "closing a file fails";
inline constexpr label truncating_a_file_fails = "truncating a file fails";
inline constexpr label renaming_a_file_fails = "renaming a file fails";
inline constexpr label removing_a_file_fails = "removing a file fails";
inline constexpr label syncing_a_directory_fails = "syncing a directory fails";
inline constexpr label how_many_names_are_lost = "how many new names a loss of power takes back";
inline constexpr label what_a_loss_of_power_leaves = "what a loss of power leaves of a file";
inline constexpr label how_many_writes_are_left = "how many writes a loss of power leaves";
inline constexpr label what_is_left_of_a_write = "what a loss of power leaves of a write";
inline constexpr label where_a_write_is_torn = "where a write is torn";
inline constexpr label starting_a_process_fails = "starting a process fails";
inline constexpr label no_descriptor_for_a_process = "a process has no descriptor";
inline constexpr label no_thread_to_watch_a_process = "there is no thread to watch a process";
inline constexpr label a_process_is_killed = "a process is killed";
inline constexpr label how_long_it_lives = "how long it lives";
inline constexpr label how_late_an_end_is_told = "how late a parent hears of an end";
inline constexpr label how_late_a_signal_comes = "how late a signal comes";
inline constexpr label no_more_sinks_for_signals = "nobody more can watch signals";
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
    which_way_to_files,
    how_long_the_disk_takes,
    no_descriptor_for_a_file,
    opening_a_file_fails,
    reading_a_file_fails,
    how_little_of_a_file_is_read,
    writing_a_file_fails,
    how_little_of_a_file_is_written,
    syncing_a_file_fails,
    what_a_failed_sync_loses,
    closing_a_file_fails,
    truncating_a_file_fails,
    renaming_a_file_fails,
    removing_a_file_fails,
    syncing_a_directory_fails,
    how_many_names_are_lost,
    what_a_loss_of_power_leaves,
    how_many_writes_are_left,
    what_is_left_of_a_write,
    where_a_write_is_torn,
    starting_a_process_fails,
    no_descriptor_for_a_process,
    no_thread_to_watch_a_process,
    a_process_is_killed,
    how_long_it_lives,
    how_late_an_end_is_told,
    how_late_a_signal_comes,
    no_more_sinks_for_signals,
    an_allocation_fails,
    main_is_cancelled,
};

} // namespace rondo::sim::detail::labels
