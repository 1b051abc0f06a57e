#pragma once

namespace hygie::crypto {

/// How a smart pointer gives back what a C library made:
/// `std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>`.
template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};

}  // namespace hygie::crypto
