#include "guards/mail/attachments/recognise.h"

#include <gtest/gtest.h>
#include <png.h>
#include <poppler/cpp/poppler-document.h>
#include <poppler/cpp/poppler-page-renderer.h>
#include <poppler/cpp/poppler-page.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/attachments/scan.h"
#include "guards/mail/message/test_file.h"

namespace hygie::mail {
namespace {

constexpr double kDotsPerInch = 100;

std::string pdf_of(const std::string& content, const std::string& resources,
                   const std::string& more = {}) {
    return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
           "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
           "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 520 300]/Contents 4 0 R/Resources<<" +
           resources + ">>>>endobj\n4 0 obj<</Length " + std::to_string(content.size()) +
           ">>\nstream\n" + content + "\nendstream endobj\n" + more +
           "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
           "trailer<</Root 1 0 R>>\n%%EOF\n";
}

/// A page drawn by poppler: letters that are pixels.
Grey drawn(const std::vector<std::string>& lines) {
    std::string content = "BT /F1 16 Tf 40 250 Td 26 TL ";
    for (const std::string& line : lines) content += "(" + line + ") Tj T* ";
    const std::string pdf = pdf_of(content + "ET", "/Font<</F1 5 0 R>>");
    const std::unique_ptr<poppler::document> document(
        poppler::document::load_from_raw_data(pdf.data(), static_cast<int>(pdf.size())));
    const std::unique_ptr<poppler::page> page(document->create_page(0));
    poppler::page_renderer renderer;
    renderer.set_image_format(poppler::image::format_gray8);
    const poppler::image image = renderer.render_page(page.get(), kDotsPerInch, kDotsPerInch);
    Grey out{.pixels = {}, .width = image.width(), .height = image.height()};
    for (int y = 0; y < image.height(); ++y)
        out.pixels.insert(out.pixels.end(), image.const_data() + y * image.bytes_per_row(),
                          image.const_data() + y * image.bytes_per_row() + image.width());
    return out;
}

std::string png_of(const Grey& grey) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(grey.width);
    image.height = static_cast<png_uint_32>(grey.height);
    image.format = PNG_FORMAT_GRAY;
    std::string out(grey.pixels.size() + 4096, '\0');
    png_alloc_size_t size = out.size();
    EXPECT_NE(
        png_image_write_to_memory(&image, out.data(), &size, 0, grey.pixels.data(), 0, nullptr), 0);
    out.resize(size);
    return out;
}

const std::vector<std::string> kLure = {"Assurance Maladie", "votre carte Vitale expire",
                                        "https://ameli-carte.example/fr",
                                        "Service client : 01 86 26 31 44"};

/// The child's own work, here: a loaded machine would cost the sandboxed one its deadline.
AttachmentFacts recognised(const Message& message) {
    const Bytes question = recognition_question(message, {});
    // What is read does not depend on how fast the machine is.
    return question.empty()
               ? AttachmentFacts{}
               : facts_of_answer(answer_recognition(question, std::chrono::minutes(1)));
}

TEST(MailPictures, WhatAPictureSaysIsRead) {
    ASSERT_TRUE(load_recogniser());
    const AttachmentFacts facts = recognised(with_file("affiche.png", png_of(drawn(kLure))));
    EXPECT_NE(facts.text.find("Assurance Maladie"), std::string::npos) << facts.text;
    EXPECT_NE(facts.text.find("01 86 26 31 44"), std::string::npos) << facts.text;
    ASSERT_EQ(facts.links.size(), 1U) << facts.text;
    EXPECT_EQ(facts.links[0].target, "https://ameli-carte.example/fr");
    EXPECT_EQ(facts.link_where[0], "attachment:affiche.png");
    ASSERT_EQ(facts.files.size(), 1U);
    EXPECT_TRUE(facts.files[0].has(Capability::PictureText));
}

/// A page of many lines takes many times as long as finding out where they stand.
TEST(MailPictures, WhatWasReadBeforeTimeWasUpIsKept) {
    ASSERT_TRUE(load_recogniser());
    Grey page{.pixels = {}, .width = 520, .height = 0};
    for (int i = 0; i < 3; ++i) {
        const Grey more = drawn(std::vector<std::string>(9, kLure[1] + " demain, 01 86 26 31 44"));
        page.width = more.width;
        page.height += more.height;
        page.pixels.insert(page.pixels.end(), more.pixels.begin(), more.pixels.end());
    }
    const Bytes question = recognition_question(with_file("page.png", png_of(page)), {});
    const auto read_in = [&](std::chrono::milliseconds most) {
        return facts_of_answer(answer_recognition(question, most)).text;
    };
    const std::clock_t start = std::clock();
    const std::string all = read_in(std::chrono::minutes(1));
    const std::chrono::milliseconds took((std::clock() - start) * 1'000 / CLOCKS_PER_SEC);
    EXPECT_NE(all.find("Vitale"), std::string::npos) << all;
    EXPECT_NE(read_in(took * 2 / 3).find("Vitale"), std::string::npos);
    EXPECT_TRUE(read_in(std::chrono::milliseconds(0)).empty());
}

TEST(MailPictures, APageWithoutLettersIsReadAsAPicture) {
    ASSERT_TRUE(load_recogniser());
    const Grey grey = drawn(kLure);
    const std::string image =
        "6 0 obj<</Type/XObject/Subtype/Image/Width " + std::to_string(grey.width) + "/Height " +
        std::to_string(grey.height) + "/ColorSpace/DeviceGray/BitsPerComponent 8/Length " +
        std::to_string(grey.pixels.size()) + ">>\nstream\n" +
        std::string(grey.pixels.begin(), grey.pixels.end()) + "\nendstream endobj\n";
    const std::string pdf = pdf_of("520 0 0 300 0 0 cm /Im Do", "/XObject<</Im 6 0 R>>", image);
    const AttachmentFacts facts = recognised(with_file("avis.pdf", pdf));
    EXPECT_NE(facts.text.find("Vitale"), std::string::npos) << facts.text;
    EXPECT_TRUE(facts.files.empty());
}

TEST(MailPictures, OnlyWhatLettersDoNotSayIsAsked) {
    const std::string png = png_of(drawn({"hello"}));
    EXPECT_FALSE(recognition_question(with_file("a.png", png, "Bonjour"), {}).empty());
    EXPECT_TRUE(recognition_question(with_file("a.png", png, std::string(2'000, 'a')), {}).empty());
    AttachmentFacts read;
    read.text = std::string(200, 'a');
    EXPECT_TRUE(recognition_question(with_file("a.pdf", "%PDF-1.4\n", "Bonjour"), read).empty());
    EXPECT_TRUE(recognition_question(with_file("a.zip", "PK\x03\x04", "Bonjour"), {}).empty());
}

TEST(MailPictures, NothingReadableSaysNothing) {
    const std::string png = png_of(drawn(kLure));
    for (const std::string& bytes :
         {png.substr(0, png.size() / 2), png.substr(0, 40), std::string("%PDF-1.4\nnone"),
          png_of(
              {.pixels = std::vector<std::uint8_t>(400 * 400, 255), .width = 400, .height = 400}),
          png_of({.pixels = std::vector<std::uint8_t>(60 * 40, 0), .width = 60, .height = 40})}) {
        const AttachmentFacts facts = recognised(with_file("a.png", bytes));
        EXPECT_FALSE(facts.crashed);
        EXPECT_TRUE(facts.links.empty());
        EXPECT_TRUE(facts.files.empty());
    }
    EXPECT_TRUE(facts_of_answer(answer_recognition(to_bytes(as_bytes("junk")))).text.empty());
}

}  // namespace
}  // namespace hygie::mail
