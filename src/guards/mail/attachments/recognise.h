#pragma once

#include <chrono>

#include "base/bytes.h"
#include "guards/mail/facts/evidence.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/message.h"

/// Letters in pictures and in pages drawn as pictures, by Tesseract: for the message that says
/// nothing in letters and everything in an image. Its own sandboxed child does it, so that a
/// picture too hard to read costs no other answer.
namespace hygie::mail {

/// What `facts` (of read_files) left unread: pictures of a message of few words, PDFs without
/// text. Empty when there is nothing of the kind.
Bytes recognition_question(const Message& message, const AttachmentFacts& facts);
/// The child's work: for the sandbox, tests and fuzzers. An answer as that of answer_question. When
/// the time of the processor is over, what was read until then is the answer.
Bytes answer_recognition(ByteView question, std::chrono::milliseconds most = kRecognitionMax);
/// Loads what the child needs before it is locked in. False where no language data is installed.
bool load_recogniser();

}  // namespace hygie::mail
