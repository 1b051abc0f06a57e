#pragma once

#include <span>
#include <string>
#include <vector>

#include "access/circles/review_opened.h"
#include "access/circles/worklist.h"
#include "serve/http_server.h"

/// The pages of /my: plain HTML without scripts, both languages side by side, fit to print.
namespace hygie::serve {

/// Who opened the record `shown`, emergencies first; a choice when there are several `patients`.
Response openings_page(std::span<const access::Opening> openings,
                       std::span<const access::Duty> duties,
                       const std::vector<std::string>& patients, const std::string& shown,
                       const access::WhoIs& who_is);

/// What the security officer has to look at, each with a form to close it.
Response work_list_page(std::span<const access::Duty> duties, const access::WhoIs& who_is,
                        WallTime now);

/// Of the colleague who signed a break-glass, too; empty when nobody did.
std::string name_of_cosigner(const access::Duty& duty, const access::WhoIs& who_is);

std::string sign_out_form();

}  // namespace hygie::serve
