#pragma once

#include <filesystem>
#include <string>

#include "base/check.h"

namespace hygie::sim {

/// A directory of the real disk for one test, removed with all it holds.
class TempDir {
  public:
    TempDir() : path_((std::filesystem::temp_directory_path() / "hygie-XXXXXX").string()) {
        HYGIE_CHECK(::mkdtemp(path_.data()) != nullptr, "tests need a temporary directory");
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const { return path_; }
    /// The path of a name inside.
    std::string operator/(const std::string& name) const { return path_ + '/' + name; }

  private:
    std::string path_;
};

}  // namespace hygie::sim
