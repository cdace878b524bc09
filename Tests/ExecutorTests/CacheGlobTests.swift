import Glibc
import Testing

@testable import Executor

@Suite struct CacheGlobTests {
    @Test(arguments: [
        ("a", "a", true), ("a", "b", false), ("*", "", true), ("*", "abc", true),
        ("a*c", "abbc", true), ("a*c", "abb", false), ("*.c", ".c", true), ("?", "é", true),
        ("??", "é", false), ("[à-ü]", "é", true), ("[!à-ü]", "é", false), ("*[!é]", "é", false),
        ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[]]", "]", true), ("[!]]", "]", false),
        ("[a", "[a", true), ("[", "[", true), ("[]", "[]", true), ("[a-]", "-", true),
        ("a**b", "axyb", true), ("[!]", "[!]", true), ("{a,b}", "{a,b}", true),
        ("*a*a*a*a*a*b", String(repeating: "a", count: 200), false),
    ])
    func `a name matches a pattern as in a shell`(pattern: String, name: String, matches: Bool) {
        #expect(Glob.matches(Array(name.utf8), Array(pattern.utf8)) == matches)
    }

    @Test(arguments: [
        // A literal names a file, or a folder with all that is in it.
        ("src", "src/a/b.c", true), ("src", "src", true), ("src", "srcs/a", false),
        ("src/", "src/a", true), ("./src//a", "src/a", true),
        ("src/*.c", "src/a.c", true), ("src/*.c", "src/a/b.c", false),
        ("src/*.c", "src/x.c/inside", true), ("*/x", "a/x", true), ("*/x", "x", false),
        ("**", "a/b", true), ("**/x", "x", true), ("**/x", "a/b/x", true),
        ("**/x", "a/b/y", false), ("a/**/b", "a/b", true), ("a/**/b", "a/1/2/b", true),
        ("a/**", "a/.hidden/b", true), ("a/**", "b/a", false), (".", "anything", true),
        ("a/**/b/**/c", "a/b/b/c", true), ("**/**/x", "a/x", true),
    ])
    func `a glob covers a file`(glob: String, path: String, covered: Bool) throws {
        let path = try #require(TreePath(path))
        #expect(try Glob(glob).covers(path, isFolder: false) == covered)
    }

    @Test func `a glob that ends with a slash is no file`() throws {
        let path = try #require(TreePath("out"))
        #expect(try !Glob("out/").covers(path, isFolder: false))
        #expect(try Glob("out/").covers(path, isFolder: true))
        #expect(try Glob("out/**").covers(path, isFolder: true))
        #expect(try !Glob("out/**").covers(path, isFolder: false))
    }

    @Test(arguments: ["", "/etc", "../x", "a/../b", "a\0b", "!", "!/x"])
    func `a glob that leads out of the workspace is refused`(glob: String) {
        #expect(throws: CacheError.badGlob(glob)) { _ = try Glob(glob) }
    }

    @Test(arguments: ["/a", "..", "a/..", "a\0"])
    func `a path that is not beneath the folder is none`(path: String) {
        #expect(TreePath(path) == nil)
    }

    @Test func `paths are ordered component by component`() {
        let sorted = ["a", "a/b", "a/b/c", "a!", "a.b", "a0", "b"]
        #expect(sorted.compactMap(TreePath.init).shuffled().sorted().map(\.text) == sorted)
    }
}
