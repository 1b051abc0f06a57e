#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "guards/files/acts/change.h"

/// Programs by which somebody else takes the hand over a machine, or carries files away. Honest in
/// honest hands, and the first thing that false support and intruders install: on a protected host
/// each is known and wanted, or it does not run.
namespace hygie::files {

struct RemoteTool {
    std::string name;                   ///< what a person calls it
    std::vector<std::string> programs;  ///< file names, in small letters, without version or ending
    std::vector<std::string> markers;   ///< found inside the program whatever it is called
};

/// remote_tools.txt: "name | program, program | marker, marker", # starts a comment.
std::vector<RemoteTool> parse_tools(std::string_view text);
/// The list that comes with the product.
std::string_view built_in_tools();

/// What happens to an unknown tool.
enum class ToolPolicy { Allow, Report, Refuse };

/// Recognises the tools among programs about to run. Thread-safe.
class ToolWatch {
  public:
    explicit ToolWatch(std::vector<RemoteTool> tools) : tools_(std::move(tools)) {}

    /// The tool that the program is, by its name or else by what is inside; null when it is none.
    const RemoteTool* recognise(const Change& execute);

    static constexpr std::size_t kSearchedBytes = 8 << 20;

  private:
    const RemoteTool* by_name(std::string_view path) const;
    const RemoteTool* by_content(const Content& content) const;

    std::vector<RemoteTool> tools_;
    std::mutex mutex_;
    std::unordered_map<FileKey, std::pair<std::uint64_t, const RemoteTool*>, FileKeyHash> known_;
};

}  // namespace hygie::files
