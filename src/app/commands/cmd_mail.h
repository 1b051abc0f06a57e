#pragma once

#include "app/line/context.h"
#include "guards/mail/facts/history.h"

/// What the commands of the mail guard share.
namespace hygie::app {

/// --history
Parameter mail_history_option();
/// --seed and --authors: which twins are written.
Parameter mail_seed_option();
Parameter mail_authors_option();
/// One history file, or all *.json of a directory as one memory; nothing known without --history.
Result<mail::History> read_history(Context& context);

}  // namespace hygie::app
