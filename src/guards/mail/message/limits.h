#pragma once

#include <chrono>
#include <cstddef>

/// The limits of the mail engine, by name. Beyond a limit nothing is read; the verdict says so
/// where that matters.
namespace hygie::mail {

inline constexpr std::size_t kMessageBytesMax = 64U << 20;
inline constexpr std::size_t kHeadersMax = 1'000;
inline constexpr std::size_t kHeaderBytesMax = 64U << 10;
/// All header fields of a message together; what is beyond is left out.
inline constexpr std::size_t kHeaderBlockBytesMax = 512U << 10;
/// Lines that could be boundaries; a message ends there for us.
inline constexpr std::size_t kBoundaryLinesMax = 10'000;
inline constexpr std::size_t kAddressesMax = 500;
inline constexpr std::size_t kPartsMax = 500;
inline constexpr std::size_t kPartDepthMax = 24;
/// Text shown to a reader and searched; beyond it nobody reads on.
inline constexpr std::size_t kTextBytesMax = 256U << 10;
inline constexpr std::size_t kHtmlBytesMax = 2U << 20;
inline constexpr std::size_t kLinksMax = 1'000;
inline constexpr std::size_t kAttachmentsMax = 100;
inline constexpr std::size_t kAttachmentBytesMax = 32U << 20;

/// What the sandboxed child may take for one message.
inline constexpr std::size_t kNestedDepthMax = 5;
inline constexpr std::size_t kNestedFilesMax = 200;
inline constexpr std::size_t kUnpackedBytesMax = 64U << 20;
inline constexpr std::size_t kImagePixelsMax = 16U << 20;
inline constexpr std::size_t kImagesReadMax = 8;
/// Pictures whose letters are read, of so many pixels (larger ones are made smaller), in so much
/// time of the processor together.
inline constexpr std::size_t kPicturesRecognisedMax = 2;
inline constexpr std::size_t kRecognisedPixelsMax = 1U << 20;
inline constexpr std::chrono::milliseconds kRecognitionMax{100};
inline constexpr std::size_t kScanMemoryBytesMax = 512U << 20;
inline constexpr std::chrono::milliseconds kScanDeadline{2'000};

/// At the door of SMTP. All messages in flight together; beyond it senders come back later.
inline constexpr std::size_t kInFlightBytesMax = 256U << 20;
inline constexpr std::size_t kWaitingMessagesMax = 64;
/// After so long a silence of the mail server its connection is closed.
inline constexpr std::chrono::seconds kMilterSilenceMax{300};

inline constexpr std::size_t kReasonsMax = 5;
inline constexpr std::size_t kEvidenceBytesMax = 200;

}  // namespace hygie::mail
