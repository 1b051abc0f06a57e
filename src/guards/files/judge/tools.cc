#include "guards/files/judge/tools.h"

#include <algorithm>
#include <cctype>

#include "guards/files/judge/circle.h"

namespace hygie::files {
namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
        text.remove_suffix(1);
    return text;
}

constexpr std::size_t kListed = 8;

/// The part before the separator; `text` keeps what is behind it.
std::string_view cut(std::string_view& text, char separator) {
    const std::size_t at = text.find(separator);
    const std::string_view part = trim(text.substr(0, at));
    text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
    return part;
}

std::vector<std::string> list_of(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty())
        if (const std::string_view item = cut(text, ','); !item.empty()) items.emplace_back(item);
    return items;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

/// "AnyDesk-6.3.0.x86_64.AppImage" is anydesk: the name, then nothing or no letter.
bool is_program(const std::string& name, const std::string& program) {
    return name.starts_with(program) &&
           (name.size() == program.size() ||
            !std::isalpha(static_cast<unsigned char>(name[program.size()])));
}

}  // namespace

std::vector<RemoteTool> parse_tools(std::string_view text) {
    std::vector<RemoteTool> tools;
    while (!text.empty()) {
        std::string_view line = cut(text, '\n');
        if (line.empty() || line.front() == '#') continue;
        RemoteTool tool;
        tool.name = cut(line, '|');
        for (const std::string& program : list_of(cut(line, '|')))
            tool.programs.push_back(lower(program));
        tool.markers = list_of(line);
        tools.push_back(std::move(tool));
    }
    return tools;
}

const RemoteTool* ToolWatch::by_name(std::string_view path) const {
    const std::string name = lower(name_part(path));
    for (const RemoteTool& tool : tools_)
        for (const std::string& program : tool.programs)
            if (is_program(name, program)) return &tool;
    return nullptr;
}

const RemoteTool* ToolWatch::by_content(const Content& content) const {
    Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(content.size(), kSearchedBytes)));
    const auto got = content.read_at(0, bytes);
    if (!got) return nullptr;
    const std::string_view text = as_text(ByteView(bytes).first(*got));
    const RemoteTool* found = nullptr;
    std::size_t names = 0;
    for (const RemoteTool& tool : tools_) {
        if (std::ranges::none_of(tool.markers, [&](const std::string& marker) {
                return text.find(marker) != std::string_view::npos;
            }))
            continue;
        ++names;
        if (found == nullptr) found = &tool;
    }
    // Who knows so many looks for them, as an antivirus does, and this very program.
    return names < kListed ? found : nullptr;
}

const RemoteTool* ToolWatch::recognise(const Change& execute) {
    if (const RemoteTool* tool = by_name(execute.path)) return tool;
    if (!execute.now || execute.now->size() == 0) return nullptr;
    const std::uint64_t size = execute.now->size();
    {
        const std::scoped_lock lock(mutex_);
        const auto known = known_.find(execute.file);
        if (known != known_.end() && known->second.first == size) return known->second.second;
    }
    const RemoteTool* tool = by_content(*execute.now);
    constexpr std::size_t kKnownMax = 4096;
    const std::scoped_lock lock(mutex_);
    if (known_.size() >= kKnownMax) known_.clear();
    known_[execute.file] = {size, tool};
    return tool;
}

}  // namespace hygie::files
