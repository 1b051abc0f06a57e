#include "guards/files/content/table.h"

#include <algorithm>
#include <vector>

namespace hygie::files {
namespace {

constexpr std::string_view kSeparators = ";,\t|";
constexpr std::size_t kRowsMin = 8;
constexpr std::size_t kColumnsMax = 256;

struct Column {
    std::size_t kept = 0;   ///< rows
    std::size_t bytes = 0;  ///< in those
    bool is_varied = false;
    std::string_view first{};
};

/// Takes the next part of `rest`, up to `end`.
std::string_view next(std::string_view& rest, char end) {
    const std::size_t at = rest.find(end);
    const std::string_view part = rest.substr(0, at);
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return part;
}

/// Programs end lines in two ways, and may change from one to the other.
std::string_view next_line(std::string_view& rest) {
    const std::string_view line = next(rest, '\n');
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::size_t fields_of(std::string_view line, char separator) {
    return static_cast<std::size_t>(std::ranges::count(line, separator)) + 1;
}

/// The one that the first line has most of.
char separator_of(std::string_view text) {
    const std::string_view line = next_line(text);
    return *std::ranges::max_element(
        kSeparators, {}, [&](char separator) { return std::ranges::count(line, separator); });
}

void compare_rows(std::string_view before, std::string_view after, char separator,
                  std::vector<Column>& columns) {
    for (Column& column : columns) {
        const std::string_view was = next(before, separator);
        if (was != next(after, separator)) continue;
        if (column.kept == 0) column.first = was;
        ++column.kept;
        column.bytes += was.size();
        column.is_varied = column.is_varied || was != column.first;
    }
}

}  // namespace

bool keeps_columns(std::string_view before, std::string_view after) {
    const char separator = separator_of(before);
    const std::size_t all = before.size();
    std::string_view head = before;
    std::vector<Column> columns(fields_of(next_line(head), separator));
    if (columns.size() < 2 || columns.size() > kColumnsMax) return false;
    std::size_t rows = 0;
    std::size_t alike = 0;
    while (!before.empty() && !after.empty()) {
        const std::string_view was = next_line(before);
        const std::string_view is = next_line(after);
        ++rows;
        // The head tells nothing.
        if (rows == 1 || fields_of(was, separator) != columns.size() ||
            fields_of(is, separator) != columns.size())
            continue;
        ++alike;
        compare_rows(was, is, separator, columns);
    }
    const auto nearly_all = [&](std::size_t some) { return some * 20 >= (rows - 1) * 19; };
    if (!before.empty() || !after.empty() || rows <= kRowsMin || !nearly_all(alike)) return false;
    std::size_t kept = 0;
    std::size_t bytes = 0;
    for (const Column& column : columns) {
        if (!column.is_varied || !nearly_all(column.kept)) continue;
        ++kept;
        bytes += column.bytes;
    }
    return kept * 4 >= columns.size() && bytes * 10 >= all;
}

}  // namespace hygie::files
