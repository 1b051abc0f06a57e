#include "app/house/core.h"

#include <gtest/gtest.h>

namespace hygie::app {
namespace {

bool quick(const std::string& method, const std::string& path) {
    serve::Request request;
    request.method = method;
    request.path = path;
    return is_quick(request);
}

/// A slow witness must not keep the other connections of a thread waiting.
TEST(Core, WhatMayWaitForTheLedgerIsNotAnsweredOnAConnectionsThread) {
    for (const std::string path :
         {"/fhir/AuditEvent", "/fhir/AuditEvent/1", "/fhir/_page/abc", "/fhir/%41uditEvent"})
        EXPECT_FALSE(quick("GET", path)) << path;
    for (const std::string path : {"/fhir", "/fhir/Patient/1", "/fhir/Observation"}) {
        EXPECT_TRUE(quick("GET", path) && quick("HEAD", path)) << path;
        EXPECT_FALSE(quick("POST", path) || quick("PUT", path)) << path;
    }
}

}  // namespace
}  // namespace hygie::app
