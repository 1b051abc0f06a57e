#pragma once

#include <memory>
#include <vector>

#include "app/commands/mail_house.h"
#include "guards/mail/door/desk.h"

namespace hygie::app {

/// --report-address, --smtp, --user-release
std::vector<Parameter> mail_desk_options();
Parameter mail_user_release_option();
/// Code::BadInput when one stands without the other.
Status check_desk_options(Context& context);
/// The guard's own address, when --report-address gives it one; it uses all that is handed over.
std::unique_ptr<mail::Desk> open_mail_desk(Context& context, MailHouse& house,
                                           mail::JudgePool& judges, mail::Quarantine& quarantine,
                                           MailSpool& spool);

}  // namespace hygie::app
