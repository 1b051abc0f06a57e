#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

/// Names and letters come from anywhere, attackers included; a terminal obeys some of their bytes.
namespace hygie::app {

/// While it lives, what is written to `stream` reaches the terminal as text alone: control
/// characters and those that turn the reading direction are spelled out (\x1b). Our own few
/// sequences pass. Nothing is changed when the stream is no terminal: bytes stay bytes.
class TerminalText final : public std::streambuf {
  public:
    TerminalText(std::ostream& stream, bool is_terminal);
    ~TerminalText() override;
    TerminalText(const TerminalText&) = delete;
    TerminalText& operator=(const TerminalText&) = delete;

  protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* text, std::streamsize size) override;
    int sync() override;

  private:
    enum class Line { Empty, Progress, Text };

    void take(char c);
    bool follow(std::string_view bytes);

    std::ostream& stream_;
    std::streambuf* terminal_;  ///< null when nothing is to be done
    std::string held_;          ///< the beginning of what may be a sequence
    Line line_ = Line::Empty;
};

}  // namespace hygie::app
