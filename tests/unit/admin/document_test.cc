#include "admin/document.h"

#include <gmock/gmock.h>

#include <boost/json/src.hpp>
#include <string>

#include "admin/page.h"

namespace extproc::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Document example() {
  Document document = Document::object({{"text", "a\"b\\c\n"}, {"nothing", Document()}});
  document.add("yes", true);
  document.add("below", std::int64_t{-5});
  document.add("most", std::uint64_t{18'446'744'073'709'551'615U});
  document.add("empty", Document::List());
  Document::List rows;
  rows.push_back(Document::object({{"name", "<one>"}, {"at", 1}}));
  rows.push_back(Document::object({{"name", "two"}}));
  document.add("rows", std::move(rows));
  return document;
}

TEST(Document, IsJson) {
  const auto json = boost::json::parse(to_json(example()));
  EXPECT_EQ(json.at("text").as_string(), "a\"b\\c\n");
  EXPECT_TRUE(json.at("nothing").is_null());
  EXPECT_TRUE(json.at("yes").as_bool());
  EXPECT_EQ(json.at("below").as_int64(), -5);
  EXPECT_EQ(json.at("most").as_uint64(), 18'446'744'073'709'551'615U);
  EXPECT_TRUE(json.at("empty").as_array().empty());
  EXPECT_EQ(json.at("rows").at(0).at("name").as_string(), "<one>");
  EXPECT_TRUE(to_json(example()).ends_with("}\n"));
}

TEST(Document, HasNothingInJsonThatIsNoText) {
  // Too short, too long, half a pair, above the last, a part alone, and what is right.
  const std::string texts[] = {"\xC3",         "\xC0\x80",           "\xE0\x80\x80",
                               "\xED\xA0\x80", "\xF4\x90\x80\x80",   "\x80",
                               "\xFF",         std::string("\0", 1), "\x7f",
                               "\xC3\xA9",     "\xE2\x82\xAC",       "\xF0\x9F\x98\x80"};
  for (const std::string& text : texts) {
    const Document document = Document::object({{text, text}});
    EXPECT_NO_THROW(boost::json::parse(to_json(document))) << to_json(document);
  }
  EXPECT_EQ(boost::json::parse(to_json(Document("\xE2\x82\xAC"))).as_string(), "\xE2\x82\xAC");
  EXPECT_EQ(boost::json::parse(to_json(Document("a\xFF"))).as_string(), "a\xEF\xBF\xBD");
}

TEST(Document, IsTablesInHtml) {
  std::string html;
  append_html(example(), html);
  EXPECT_THAT(html, HasSubstr("<tr><th>text</th><td>a&quot;b\\c\n</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<tr><th>nothing</th><td>&ndash;</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<thead><tr><th>name</th><th>at</th></tr></thead>"));
  EXPECT_THAT(html, HasSubstr("<tr><td>&lt;one&gt;</td><td>1</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<tr><td>two</td><td>&ndash;</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<td>none</td>"));
  EXPECT_THAT(html, Not(HasSubstr("<one>")));
}

TEST(Document, FindsItsMembers) {
  const Document document = example();
  EXPECT_NE(document.find("yes"), nullptr);
  EXPECT_EQ(document.find("no"), nullptr);
  EXPECT_EQ(Document("text").find("text"), nullptr);
}

HttpRequest wants(std::string_view accept, std::string_view query = {}) {
  HttpRequest request;
  request.path = "/stats";
  request.accept = accept;
  request.query = query;
  return request;
}

TEST(Page, IsInTheFormThatIsAskedFor) {
  EXPECT_FALSE(wants_html(wants("")));
  EXPECT_FALSE(wants_html(wants("*/*")));
  EXPECT_FALSE(wants_html(wants("application/json")));
  EXPECT_TRUE(wants_html(wants("text/html,application/xhtml+xml,*/*;q=0.8")));
  EXPECT_FALSE(wants_html(wants("text/html;q=0, */*")));
  EXPECT_FALSE(wants_html(wants("text/html", "format=json")));
  EXPECT_TRUE(wants_html(wants("", "a=b&format=html")));
  EXPECT_TRUE(wants_html(wants("*/*"), true));
  EXPECT_FALSE(wants_html(wants("application/json"), true));
}

TEST(Page, MayLoadAndRunNothingOfOthers) {
  const HttpResponse page = page_of(wants("text/html"), example());
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(page.headers.front().first, "Content-Security-Policy");
  EXPECT_THAT(page.headers.front().second, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
  EXPECT_THAT(page.body, Not(HasSubstr("://")));
  EXPECT_THAT(page.body, HasSubstr("<a href=\"/stats\" aria-current=\"page\">"));
  EXPECT_EQ(page_of(wants(""), example()).content_type, "application/json");
}

}  // namespace
}  // namespace extproc::admin
