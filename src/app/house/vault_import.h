#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/house/core.h"

namespace hygie::app {

/// What an import did.
struct Imported {
    std::size_t resources = 0;
    std::size_t bundles = 0;
    std::vector<std::pair<std::string, Error>> refused{};  ///< "file:line" and why
};

/// Takes FHIR resources and bundles into a vault that this process holds, through the records door:
/// validated, judged as a program's, sealed and traced like any other write. Bundles go in several
/// at a time; what is refused because what it refers to is not there yet is tried again.
class Importer {
  public:
    static constexpr std::size_t kFileBytesMax = 1 << 30;
    static constexpr std::size_t kThreads = 4;

    Importer(Context& context, Store& store, const CoreDirs& dirs, const crypto::RootKey& root,
             ActorId by);
    ~Importer();

    /// Takes a file in: NDJSON, or one JSON document when its name ends with ".json".
    Status file(const std::string& path);
    /// The same with NDJSON text; `name` says where it is from.
    Status lines(const std::string& name, std::string_view text);
    /// Tries again what was refused, until nothing more goes in.
    void again();
    void one_by_one();
    /// again(), then what became of all.
    Imported finish();

  private:
    struct Item {
        std::string name;
        std::string text;
        std::size_t resources = 0;
        std::optional<Error> refused{};
    };

    void add_document(const std::string& name, std::string_view text);
    void run_waiting();
    void run(std::vector<Item> items);
    void put_in(Item& item);

    Disk& disk_;
    access::Actor actor_;
    std::unique_ptr<records::Door> door_;
    std::vector<Item> loose_;  ///< resources without a bundle, to be sent together
    std::vector<Item> waiting_;
    std::vector<Item> refused_;
    Imported done_;
};

}  // namespace hygie::app
