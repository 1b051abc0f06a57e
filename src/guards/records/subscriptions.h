#pragma once

namespace hygie::records {
class Subscriptions {};
}  // namespace hygie::records
