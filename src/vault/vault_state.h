#pragma once

#include "vault/vault.h"
#include "vault/writer.h"

namespace hygie::vault {

/// The inside of a Vault.
struct Vault::State {
    State(const Doors& doors_, Options options_, std::unique_ptr<Store> store,
          std::unique_ptr<crypto::KeyTable> table, const VaultKeys& keys)
        : doors(doors_),
          options(std::move(options_)),
          shelf(std::move(store), std::move(table), keys, options.cache_bytes,
                options.body_cache_bytes),
          writer(shelf, doors.clock, doors.random, doors.trace, {options.source, options.node}) {}

    /// The record; its index is made anew from its bodies when it is damaged.
    Result<std::shared_ptr<const Record>> open(CompartmentNumber number);
    Result<CompartmentNumber> number_of(std::string_view patient) const;

    Doors doors;
    Options options;
    Shelf shelf;
    Writer writer;
};

/// The one answer for what is not there, was erased, or must not be seen.
std::unexpected<Error> nothing_there();

}  // namespace hygie::vault
