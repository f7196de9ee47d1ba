#include "settings/data_directory.hpp"

#include "base/errors.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include <unistd.h>

using testing::HasSubstr;

namespace mayhem {
namespace {

template <class F> std::string complaint(F&& f) {
    try {
        f();
    } catch (const bad_input& e) {
        return e.what();
    }
    return "no complaint";
}

} // namespace

TEST(DataDirectory, IsCreatedWithItsParents) {
    const test::temporary_directory place;
    const data_directory d(place.path() / "a" / "b");
    EXPECT_TRUE(std::filesystem::is_directory(place.path() / "a" / "b"));
}

TEST(DataDirectory, BelongsToOneAndTheOtherLearnsToWhom) {
    const test::temporary_directory place;
    std::optional<data_directory> first(place.path());
    EXPECT_THAT(complaint([&] { data_directory second(place.path()); }),
                HasSubstr("process " + std::to_string(::getpid())));
    first.reset();
    EXPECT_EQ(complaint([&] { data_directory second(place.path()); }), "no complaint");
}

TEST(DataDirectory, BelowAFileCannotBeCreated) {
    const test::temporary_directory place;
    std::ofstream(place / "file") << "kept";
    EXPECT_THAT(complaint([&] { data_directory d(place.path() / "file" / "x"); }),
                HasSubstr((place.path() / "file" / "x").string()));
    EXPECT_THAT(complaint([&] { data_directory d(place / "file"); }), HasSubstr("file"));
}

TEST(DataDirectory, ThatCannotBeWrittenToIsNamed) {
    EXPECT_THAT(complaint([] { data_directory d("/proc"); }), HasSubstr("/proc"));
}

TEST(WritableFile, IsCheckedWithoutLeavingATrace) {
    const test::temporary_directory place;
    check_writable_file(place / "books.json", "--json");
    EXPECT_TRUE(std::filesystem::is_empty(place.path()));
    EXPECT_THAT(complaint([&] { check_writable_file(place.path() / "no" / "books.json", "--json"); }),
                HasSubstr("--json"));
    EXPECT_THAT(complaint([&] { check_writable_file(place.path(), "--json"); }), HasSubstr("is a directory"));
}

} // namespace mayhem
