#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hygie::mail {

/// A compound file of Office (MS-CFB), read without trust: chains that loop or leave the file end.
class OleFile {
  public:
    explicit OleFile(std::string_view bytes);

    struct Entry {
        std::string name;  ///< UTF-8
        bool is_stream = false;
        std::uint32_t start = 0;
        std::uint64_t size = 0;
    };
    const std::vector<Entry>& entries() const { return entries_; }
    /// CLSID of the root, 16 raw bytes; empty when absent.
    std::string_view root_class() const { return root_class_; }
    std::string stream(const Entry& entry, std::size_t size_max) const;

  private:
    std::string chain(std::uint32_t start, std::size_t size_max) const;
    std::uint32_t next_of(std::uint32_t sector) const;
    void read_directory(std::uint32_t start);

    std::string_view bytes_;
    std::size_t sector_ = 512;
    std::size_t mini_sector_ = 64;
    std::uint32_t mini_cutoff_ = 4096;
    std::vector<std::uint32_t> fat_;
    std::string mini_fat_;
    std::string mini_stream_;
    std::vector<Entry> entries_;
    std::string root_class_;
};

/// The source text of a compressed VBA container (MS-OVBA §2.4.1); empty when it is none.
std::string vba_source(std::string_view container, std::size_t size_max);

}  // namespace hygie::mail
