#include "guards/mail/message/share.h"

#include <algorithm>
#include <string>

#include "guards/mail/message/fold.h"

namespace hygie::mail {

bool is_foreign_share(std::string_view target) {
    std::string path = lower(trim(target));
    const bool file = path.starts_with("file:");
    if (!file && !path.starts_with("\\\\")) return false;
    if (file) path.erase(0, path.find(':') + 1);
    std::ranges::replace(path, '\\', '/');
    const std::size_t slashes = std::min(path.find_first_not_of('/'), path.size());
    // "file:/a" and "file:///a" are of this machine; two slashes, four or five name another.
    if (file && (slashes < 2 || slashes == 3)) return false;
    const std::string_view host =
        std::string_view(path).substr(slashes, path.find('/', slashes) - slashes);
    return contains(host, ".") || contains(host, "@");
}

}  // namespace hygie::mail
