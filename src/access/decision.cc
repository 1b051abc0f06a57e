#include "access/decision.h"

namespace hygie::access {

std::string_view name_of(Role role) {
    switch (role) {
        case Role::Care: return "care";
        case Role::Desk: return "desk";
        case Role::Security: return "security";
        case Role::Operations: return "operations";
        case Role::Patient: return "patient";
        case Role::Program: return "program";
    }
    return "";
}

}  // namespace hygie::access
