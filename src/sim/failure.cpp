#include <rondo/sim/failure.hpp>

namespace rondo::sim {

namespace {

const char* name_of(failure_kind kind) noexcept {
    switch (kind) {
    case failure_kind::check: return "a check failed";
    case failure_kind::error: return "an error";
    case failure_kind::deadlock: return "a deadlock";
    case failure_kind::endless: return "a run without end";
    case failure_kind::leak: return "a leak";
    case failure_kind::report: return "an error that nobody saw";
    case failure_kind::nondeterminism: return "the same choices made another run";
    }
    return "";
}

} // namespace

std::string failure::replay() const {
    std::string text = std::to_string(seed) + "@";
    const char* separator = "";
    for (const deviation& d : deviations) {
        text += separator + std::to_string(d.step) + "=" + std::to_string(d.choice);
        separator = ",";
    }
    return text;
}

std::string failure::str() const {
    std::string text = std::string("rondo::sim: ") + name_of(kind) + ": " + message;
    if (text.back() != '\n') text += '\n';
    text += "seed " + std::to_string(seed) + ", " + std::to_string(choices) + " choices, " +
            std::to_string(deviations.size()) + " of them deviate\n";
    for (const deviation& d : deviations) {
        text += "  deviate at step " + std::to_string(d.step) + ": " + std::string(d.what.text()) + " (" +
                std::to_string(d.choice) + " of " + std::to_string(d.of - 1) + ")\n";
    }
    return text + "RONDO_SIM_REPLAY=" + replay() + "\n";
}

} // namespace rondo::sim
