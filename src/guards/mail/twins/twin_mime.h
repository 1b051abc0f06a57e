#pragma once

#include <string>

#include "guards/mail/twins/twin_files.h"
#include "guards/mail/twins/twin_scene.h"

namespace hygie::mail {

/// What a template says once its choices are made. Links are \x01label\x02.
struct TwinLetter {
    std::string subject;
    std::string body;
};

/// The whole message, LF line ends. Its form (text, HTML or both; skeleton; encoding) is drawn
/// alike for both sides.
std::string write_message(const TwinScene& scene, const TwinLetter& letter,
                          const std::vector<TwinFile>& files, Dice& dice);

/// The side-car that the mail server would write.
std::string envelope_json(const TwinScene& scene);

}  // namespace hygie::mail
