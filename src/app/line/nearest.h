#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hygie::app {

/// Edits (insert, delete, replace, swap of neighbours) between two words, counted in bytes.
std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate somebody who wrote `word` most likely meant; empty when none is near. Candidates
/// that start with `word` are near whatever their length.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace hygie::app
