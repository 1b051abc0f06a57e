#pragma once

#include "base/result.h"
#include "guards/files/content/content.h"
#include "guards/files/content/finding.h"

namespace hygie::files {

/// Reads two contents and says what became of the first. The product's runs the parsers in a
/// process that can do nothing else (sandbox.h).
class Examiner {
  public:
    virtual ~Examiner() = default;
    /// `before` may be null: a new file. Code::Unavailable when the parsers died over it.
    virtual Result<Finding> examine(const Content* before, const Content& after) = 0;
};

/// In this process: for tests and tools.
class DirectExaminer final : public Examiner {
  public:
    Result<Finding> examine(const Content* before, const Content& after) override {
        if (before == nullptr) return examine_new(excerpt_of(after));
        return files::examine(excerpt_of(*before), excerpt_of(after));
    }
};

}  // namespace hygie::files
