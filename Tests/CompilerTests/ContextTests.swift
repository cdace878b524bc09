import Testing

@testable import Compiler

@Suite struct ContextTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.write("shop/danubefile.py", "")
        try scratch.write("shop/a", "1")
    }

    /// A repository with a second commit on the branch `work`, and `origin` at a forge.
    private func makeRepository() throws -> String {
        let path = scratch.path + "/shop"
        try shop("init", "-q")
        try shop("add", "-A")
        try shop("commit", "-qm", "first")
        try shop("remote", "add", "origin", "https://user:token@example.org/acme/shop.git")
        try shop("checkout", "-qb", "topic/1")
        try scratch.write("shop/b", "2")
        try scratch.write("shop/sub/c", "3")
        try shop("add", "-A")
        try shop("rm", "-q", "a")
        try shop("commit", "-qm", "second")
        return path
    }

    @discardableResult
    private func shop(_ arguments: String...) throws -> String {
        try Scratch.run(
            ["/usr/bin/git", "-C", scratch.path + "/shop", "-c", "init.defaultBranch=main"]
                + ["-c", "user.name=T", "-c", "user.email=t@example.org"] + arguments)
    }

    private func values(
        _ trigger: Trigger = Trigger(), revision: String? = nil
    ) -> (String) -> String? {
        let context = LocalContext(
            root: scratch.path + "/shop", revision: revision, pipeline: "build",
            parameters: [("target", "x")], trigger: trigger)
        return { name in
            guard case .value(let value) = context.value(name) else { return nil }
            return value.canonical
        }
    }

    @Test func `a working copy says what it is`() throws {
        _ = try makeRepository()
        let head = try shop("rev-parse", "HEAD")
        let value = values(Trigger(event: "push"))
        #expect(value("repo") == "\"acme/shop\"")
        #expect(value("branch") == "\"topic/1\"")
        #expect(value("commit_sha") == "\"\(head)\"")
        #expect(value("trigger_type") == "\"push\"")
        #expect(value("trigger_ref") == "\"refs/heads/topic/1\"")
        #expect(value("changed_files") == #"["a","b","sub/c"]"#)
        #expect(value("pull_request") == "null")
        #expect(value("tag") == "null")
        #expect(value("event") == "{}")
        #expect(value("job_id") == "\"local\"")
        #expect(value("workspace") == "\"/workspace\"")
        #expect(value("params") == #"{"target":"x"}"#)
        #expect(value("nonsense") == nil)
    }

    @Test func `a pull request has defaults, and its branch is not the one it goes to`() throws {
        _ = try makeRepository()
        let head = try shop("rev-parse", "HEAD")
        let value = values(Trigger(event: "pull_request"))
        #expect(value("branch") == "\"topic/1\"")
        #expect(value("trigger_ref") == "\"refs/pull/1/head\"")
        #expect(value("changed_files") == #"["a","b","sub/c"]"#)
        let request = try #require(value("pull_request"))
        for part in [
            #""base_branch":"main""#, #""fork":false"#, #""head_branch":"topic/1""#,
            #""head_sha":"\#(head)""#, #""number":1"#,
        ] { #expect(request.contains(part)) }
        try shop("checkout", "-q", "main")
        #expect(values(Trigger(event: "pull_request"))("branch") == "\"feature\"")
    }

    @Test func `fields and files override single values`() throws {
        _ = try makeRepository()
        var trigger = Trigger(event: "pull_request")
        try trigger.add(file: Array(#"{"pull_request":{"title":"T"},"sender":{"id":7}}"#.utf8))
        try trigger.add(field: "pull_request.number=12")
        try trigger.add(field: "pull_request.title=123")
        try trigger.add(field: "pull_request.fork=true")
        try trigger.add(field: "changed_files=x,y/z")
        try trigger.add(field: "sender.login=eve")
        try trigger.add(field: "repo=a/b=c")
        let value = values(trigger)
        let request = try #require(value("pull_request"))
        #expect(request.contains(#""number":12"#) && request.contains(#""title":"123""#))
        #expect(request.contains(#""fork":true"#))
        #expect(value("changed_files") == #"["x","y/z"]"#)
        #expect(value("event") == #"{"sender":{"id":7,"login":"eve"}}"#)
        #expect(value("repo") == "\"a/b=c\"")
        #expect(value("trigger_ref") == "\"refs/pull/12/head\"")
    }

    @Test(arguments: [
        "branch", "=x", "branch.x=1", "pull_request.nmber=1", "pull_request.number=x",
        "pull_request.fork=1", "pull_request=5", "a..b=1",
    ])
    func `a field that does not fit is refused`(_ field: String) {
        var trigger = Trigger()
        #expect(throws: TriggerError.self) { try trigger.add(field: field) }
    }

    @Test func `a tag is on no branch`() throws {
        _ = try makeRepository()
        #expect(values(Trigger(event: "tag"))("tag") == "\"v0.0.0\"")
        try shop("tag", "v1.2.3")
        try shop("tag", "-am", "annotated", "v1.2.4")
        #expect(values(Trigger(event: "tag"))("tag") == "\"v1.2.4\"")
        let value = values(Trigger(event: "tag", tag: "v9"))
        #expect(value("tag") == "\"v9\"")
        #expect(value("branch") == "\"\"")
        #expect(value("trigger_ref") == "\"refs/tags/v9\"")
    }

    @Test func `a revision has its own commit and branch`() throws {
        _ = try makeRepository()
        let first = try shop("rev-parse", "main")
        let value = values(revision: "main")
        #expect(value("commit_sha") == "\"\(first)\"")
        #expect(value("branch") == "\"main\"")
        #expect(value("changed_files") == #"["a","danubefile.py"]"#)
    }

    @Test func `HEAD is the same when references are packed, detached, or in a worktree`() throws {
        let path = try makeRepository()
        let head = try shop("rev-parse", "HEAD")
        let loose = try #require(GitHead(path))
        #expect(loose.branch == "topic/1" && loose.commit == head)
        try shop("pack-refs", "--all", "--prune")
        #expect(GitHead(path) == loose)
        try shop("worktree", "add", "-q", "../other", "-b", "other")
        let other = try #require(GitHead(scratch.path + "/other"))
        #expect(other.branch == "other" && other.commit == head)
        try shop("checkout", "-q", "--detach")
        let detached = try #require(GitHead(path))
        #expect(detached.branch == nil && detached.commit == head)
    }

    @Test func `a folder without git still has a context`() {
        let value = values(Trigger(event: "push"))
        #expect(value("repo") == "\"shop\"")
        #expect(value("branch") == "\"\"")
        #expect(value("commit_sha") == "\"\"")
        #expect(value("changed_files") == "[]")
    }

    @Test(arguments: [
        ("https://u:p@h.org/acme/shop.git", "acme/shop"), ("git@h.org:acme/shop", "acme/shop"),
        ("ssh://git@h.org:22/a/b/shop.git", "b/shop"), ("../shop.git", "../shop"),
        ("/srv/git/shop.git", "git/shop"), ("https://h.org", nil),
    ])
    func `a repository's name has no credentials`(_ address: String, _ name: String?) {
        #expect(LocalContext.name(of: address) == name)
    }

    @Test(arguments: ["--upload-pack=x", "-x", "", "nothing", "HEAD:danubefile.py", "a\0b"])
    func `what is no commit is refused`(_ revision: String) throws {
        let path = try makeRepository()
        #expect(throws: GitError.self) { _ = try GitTree(path, revision: revision) }
    }

    @Test func `a value is asked for once and recorded as JSON`() throws {
        _ = try makeRepository()
        let context = RecordedContext(
            LocalContext(root: scratch.path + "/shop", trigger: Trigger(event: "push")))
        _ = context.value("workspace")
        _ = context.value("branch")
        _ = context.value("nonsense")
        #expect(context.values.map(\.name) == ["branch", "workspace"])
        #expect(context.values.map(\.json) == ["\"topic/1\"", "\"/workspace\""])
    }
}
