#pragma once

#include "guards/mail/twins/twin_scene.h"

/// Where attacks come from and lead to, beside where honest mail does.
namespace hygie::mail {

struct TwinCast {
    const TwinLibrary& library;
    const TwinWorld& world;
    const TwinTemplate& form;
    const TwinSupplier& supplier;
    const TwinPerson& colleague;
    const TwinPerson& boss;
    const TwinBrand& brand;
};

/// Fills in who writes and what the mail server saw of it.
void cast_sender(TwinScene& scene, const TwinCast& cast, Dice& dice);
/// Fills in where the links lead, after the sender.
void cast_links(TwinScene& scene, const TwinCast& cast, Dice& dice);
/// Who the letter says it is from; whoever signs as {from_name} signs so too.
void name_sender(TwinScene& scene, std::string name);
/// A domain that a hurried reader takes for `honest`.
std::string look_alike_of(std::string_view honest, Dice& dice);

}  // namespace hygie::mail
