#pragma once

#include "guards/mail/twins/twin_mime.h"
#include "guards/mail/twins/twin_scene.h"

namespace hygie::mail {

/// What happens to mail on its way out: attackers now and then disguise words, sow random letters,
/// write a wall of signs, borrow a service or our own address; honest houses have reference
/// numbers, separators and mailboxes made by machines. Most letters stay as they are.
void roughen(TwinScene& scene, TwinLetter& letter, Dice& dice);

}  // namespace hygie::mail
