#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "guards/files/acts/fanotify.h"
#include "guards/files/acts/volume.h"
#include "guards/files/content/content.h"

namespace hygie::files {

/// The machine's other file systems, where a sealed copy of what is read here may be written before
/// the original is deleted. Watched after the fact and only while somebody reads much; nobody waits
/// for it. Thread-safe.
class Outlook {
  public:
    /// Of what was written elsewhere so much is looked at in one go; the rest is left out.
    static constexpr std::size_t kLooksMax = 256;

    explicit Outlook(const std::vector<std::unique_ptr<Volume>>& volumes) : volumes_(volumes) {}

    /// Begins to watch the local file systems that are mounted now, and are none of the guarded.
    void turn_on();
    void turn_off();
    bool is_on();
    /// Writers that closed a file there since.
    void take(const std::function<void(fan::Event)>& closing);

  private:
    const std::vector<std::unique_ptr<Volume>>& volumes_;
    std::mutex mutex_;
    fan::Group group_;
    bool is_on_ = false;
};

/// Mount points of local file systems that people and programs keep files on, each file system
/// once, from the text of /proc/self/mountinfo.
std::vector<std::string> places_of(std::string_view mountinfo);

/// What somebody left outside the protected folders, open at `fd`: a small one is remembered, a
/// larger one found again by its path while it is the same.
ContentPtr content_outside(int fd, const std::string& path);

}  // namespace hygie::files
