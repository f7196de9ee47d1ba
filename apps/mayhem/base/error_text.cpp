#include "base/error_text.hpp"

#include <rondo/rondo.hpp>

namespace mayhem {

std::string error_text(const std::exception_ptr& error) {
    try {
        if (error) std::rethrow_exception(error);
        return "no error";
    } catch (const rondo::exception_group& group) {
        std::string text;
        for (const std::exception_ptr& member : group.exceptions())
            text += (text.empty() ? "" : "; ") + error_text(member);
        return text;
    } catch (const std::exception& e) {
        return e.what();
    } catch (const rondo::base_exception& e) {
        return e.what();
    } catch (...) {
        return "an error that is no std::exception";
    }
}

} // namespace mayhem
