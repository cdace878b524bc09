import Glibc
import Testing

@testable import Master

@Suite struct ConfigurationTests {
    static let keys = ConfigurationKey.all.map(\.shownName).joined(separator: ", ")
    static let home = ["HOME": "/h"]

    /// Loads a text as `danube.toml`.
    static func load(
        _ text: String, _ environment: [String: String] = home, _ flags: [String] = []
    ) throws -> MasterConfiguration {
        let folder = try PrivateFolder()
        let file = try folder.write("danube.toml", text.utf8)
        return try MasterConfiguration.load(file: file, environment: environment, flags: flags)
    }

    /// The problems of a text, with `danube.toml` for the path of the file.
    static func problems(
        _ text: String, _ environment: [String: String] = home, _ flags: [String] = []
    ) throws -> String {
        try problems(Array(text.utf8), environment, flags)
    }

    static func problems(
        _ bytes: [UInt8], _ environment: [String: String] = home, _ flags: [String] = []
    ) throws -> String {
        let folder = try PrivateFolder()
        let file = try folder.write("danube.toml", bytes)
        do {
            _ = try MasterConfiguration.load(file: file, environment: environment, flags: flags)
            return ""
        } catch {
            return error.description.split(separator: folder.path + "/").joined()
        }
    }

    @Test func `nothing has to be configured`() throws {
        let configuration = try MasterConfiguration.load(
            file: nil, environment: Self.home, flags: [])
        #expect(configuration.data == "/h/.local/state/danube/master")
        #expect(configuration.cache.folder == "/h/.local/state/danube/master/cache")
        #expect(configuration.http.listen.description == "127.0.0.1:8420")
        #expect(configuration.jobs.queue == 100_000)
        #expect(configuration.jobs.limit == sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        #expect(configuration.traces.endpoint == nil)
        #expect(configuration.repositories.allow.isEmpty)
    }

    @Test func `the state folder follows the specification of base directories`() throws {
        let given = try MasterConfiguration.load(
            file: nil, environment: ["HOME": "/h", "XDG_STATE_HOME": "/state"], flags: [])
        #expect(given.data == "/state/danube/master")
        let relative = try MasterConfiguration.load(
            file: nil, environment: ["HOME": "/h", "XDG_STATE_HOME": "state"], flags: [])
        #expect(relative.data == "/h/.local/state/danube/master")
        #expect(throws: ConfigurationError.self) {
            try MasterConfiguration.load(file: nil, environment: [:], flags: [])
        }
        let flag = try MasterConfiguration.load(
            file: nil, environment: [:], flags: ["--data", "/d"])
        #expect(flag.data == "/d")
    }

    @Test func `a file, then variables, then flags, the later wins`() throws {
        let text = """
            data = "here"
            jobs.active = 1
            [http]
            listen = "0.0.0.0:1"
            max_body = "10Mi"
            max_connections = 3
            [teams.a]
            weight = 2
            [teams."b.c"]
            weight = 3
            """
        let environment = [
            "HOME": "/h", "DANUBE_HTTP_MAX_BODY": "20Mi", "DANUBE_HTTP_MAX_CONNECTIONS": "4",
        ]
        let folder = try PrivateFolder()
        let file = try folder.write("danube.toml", text.utf8)
        let configuration = try MasterConfiguration.load(
            file: file, environment: environment, flags: ["--http-max-connections=5"])
        #expect(configuration.data == folder.path + "/here")
        #expect(configuration.jobs.active == 1)
        #expect(configuration.http.listen == ListenAddress(host: "0.0.0.0", port: 1))
        #expect(configuration.http.maxBody == 20 << 20)
        #expect(configuration.http.maxConnections == 5)
        #expect(configuration.teams.mapValues(\.weight) == ["a": 2, "b.c": 3])
        #expect(
            configuration.origins == [
                "data": "\(file):1", "jobs.active": "\(file):2", "http.listen": "\(file):4",
                "http.max_body": "DANUBE_HTTP_MAX_BODY",
                "http.max_connections": "--http-max-connections", "teams.a.weight": "\(file):8",
                "teams.\"b.c\".weight": "\(file):10",
            ])
    }

    @Test func `all mistakes are told at once, with their places and what was meant`() throws {
        let text = """
            dta = "/srv"
            [http]
            lisen = "x"
              max_connections = "many"
            max_body = -1
            [server]
            bindd = "0.0.0.0"
            [teams]
            a = { weight = 0, wait = 1 }
            """
        let told = try Self.problems(
            text, ["HOME": "/h", "DANUBE_HTTP_LISTEM": "x", "DANUBE_JOBS_LIMIT": "0"],
            ["--log-levl", "debug", "--log-format", "xml", "extra", "--jobs-queue"])
        #expect(
            told == """
                danube.toml:1:1: error: There is no key `dta`.
                  1 | dta = "/srv"
                    | ^
                  hint: Did you mean `data`?
                danube.toml:3:1: error: There is no key `http.lisen`.
                  3 | lisen = "x"
                    | ^
                  hint: Did you mean `http.listen`?
                danube.toml:4:3: error: `http.max_connections` is the text `many`, but must be an \
                integer from 1 to 1000000.
                  4 |   max_connections = "many"
                    |   ^
                  hint: Write no quotes.
                danube.toml:5:1: error: `http.max_body` is the integer `-1`, but must be a size \
                from 1Ki to 1Ti.
                  5 | max_body = -1
                    | ^
                  hint: Write bytes, or a number with Ki, Mi, Gi or Ti, such as "10Gi".
                danube.toml:6:1: error: There is no table `server`.
                  6 | [server]
                    | ^
                  hint: Known keys: \(Self.keys).
                danube.toml:9:7: error: `teams.a.weight` is the integer `0`, but must be an \
                integer from 1 to 1000.
                  9 | a = { weight = 0, wait = 1 }
                    |       ^
                danube.toml:9:19: error: There is no key `teams.a.wait`.
                  9 | a = { weight = 0, wait = 1 }
                    |                   ^
                  hint: Did you mean `teams.a.weight`?
                DANUBE_HTTP_LISTEM: error: There is no such variable of the configuration.
                  hint: Did you mean `DANUBE_HTTP_LISTEN`?
                DANUBE_JOBS_LIMIT: error: `jobs.limit` is `0`, but must be an integer from 1 to \
                4096.
                --log-levl: error: There is no such flag.
                  hint: Did you mean `--log-level`?
                --log-format: error: `log.format` is `xml`, but must be one of `text`, `json`.
                extra: error: This is no flag.
                  hint: See --help.
                --jobs-queue: error: The flag has no value.
                  hint: Write --jobs-queue VALUE.

                """)
    }

    @Test(arguments: [
        ("http.listen = 8420", "is the integer `8420`, but must be a host and a port"),
        ("http.listen = \"localhost\"", "but must be a host and a port"),
        ("http.listen = \"h:65536\"", "but must be a host and a port"),
        ("http.listen = \"h:+80\"", "but must be a host and a port"),
        ("http.listen = \"a b:80\"", "but must be a host and a port"),
        ("http.listen = \"::1:80\"", "but must be a host and a port"),
        ("data = \"\"", "but must be a path"),
        ("data = 3", "is the integer `3`, but must be a path"),
        ("data = \"../x\"", "but must be a path"),
        ("data = \"a\\nb\"", "is the text `a\\u{a}b`, but must be a path"),
        ("data = [\"/a\"]", "is an array, but must be a path"),
        ("log.level = \"loud\"", "one of `trace`, `debug`, `info`"),
        ("jobs.limit = 1.5", "is a number with a fraction, but must be an integer"),
        ("jobs.limit = 1e3", "is a number with a fraction, but must be an integer"),
        ("jobs.limit = 9223372036854775807", "is the integer `9223372036854775807`"),
        ("jobs.limit = -9223372036854775808", "is the integer `-9223372036854775808`"),
        ("jobs.limit = inf", "is a number with a fraction"),
        ("jobs.limit = 1979-05-27", "is a date or time without quotes"),
        ("jobs.limit = 1979-05-27 07:32:00", "is a date or time without quotes"),
        ("jobs.max_duration = 30", "is the integer `30`, but must be a duration from 1s to 365d"),
        ("jobs.max_duration = \"30\"", "but must be a duration"),
        ("jobs.max_duration = \"-5m\"", "but must be a duration"),
        ("jobs.max_duration = \"9223372036854775807d\"", "but must be a duration"),
        ("jobs.max_duration = \"366d\"", "but must be a duration"),
        ("retention.logs = \"-1d\"", "but must be a duration"),
        ("retention.logs = \"0s\"", "but must be a duration from 1m to 3650d"),
        ("retention.at = \"24:00\"", "but must be a time of day"),
        ("retention.at = \"3:30\"", "but must be a time of day"),
        ("retention.at = 03:30:00", "is a date or time without quotes"),
        ("cache.size = \"9223372036854775807Ti\"", "but must be a size"),
        ("cache.size = \"10GB\"", "but must be a size"),
        ("cache.size = \"\"", "but must be a size"),
        ("metrics.open = \"true\"", "is the text `true`, but must be true or false"),
        ("metrics.open = 1", "but must be true or false"),
        ("repositories.allow = \"/a\"", "but must be an array of texts"),
        ("repositories.allow = [\"/a\", 1]", "an array in which something is no text"),
        ("repositories.allow = [\"a\"]", "which is no absolute path and no url"),
        ("repositories.allow = [\"https://*.example.com\"]", "with a `*`"),
        ("repositories.allow = [\"ext::sh -c x\"]", "which is no absolute path and no url"),
        ("repositories.allow = [\"file:///etc\"]", "which is no absolute path and no url"),
        ("repositories.allow = [\"https://u:p@h/\"]", "with a user before its host"),
        ("traces.endpoint = \"ftp://h\"", "but must be an http or https url, or `off`"),
        ("traces.endpoint = \"http://u:p@h/\"", "has a user before its host"),
        ("traces.endpoint = \"http://\"", "but must be an http or https url"),
        ("traces.sample = 1.5", "is a number with a fraction, but must be a number from 0 to 1"),
        ("traces.sample = \"0.5\"", "but must be a number from 0 to 1"),
        ("traces.sample = -1", "is the integer `-1`, but must be a number from 0 to 1"),
        ("http = 3", "`http` is a table, not the integer `3`"),
        ("teams = []", "`teams` is a table, not an array"),
        ("[data]", "`data` is a table, but must be a path"),
        ("[http.listen]\na = 1", "`http.listen` is a table, but must be a host and a port"),
        ("[teams.\"a b\"]\nweight = 1", "has a name of a team that is none"),
        ("[teams.\"\"]\nweight = 1", "has a name of a team that is none"),
        ("[teams.a.b]\nweight = 1", "There is no table `teams.a.b`"),
    ])
    func `a value that is not of its form is refused`(line: String, message: String) throws {
        let told = try Self.problems(line)
        let place = line.contains("teams.\"") ? 2 : 1
        #expect(told.hasPrefix("danube.toml:\(place):"), "\(told)")
        #expect(told.contains(message), "\(told)")
    }

    @Test(arguments: [
        ("jobs.max_duration = \"1h30m\"", "jobs.max_duration", "\"1h30m\""),
        ("jobs.max_duration = \"90s\"", "jobs.max_duration", "\"1m30s\""),
        ("cache.size = 1048576", "cache.size", "\"1Mi\""),
        ("cache.size = \"2T\"", "cache.size", "\"2T\""),
        ("disk.reserve = 0", "disk.reserve", "\"0\""),
        ("http.listen = \"[::1]:0\"", "http.listen", "\"[::1]:0\""),
        ("data = \"~/x/./y//z/\"", "data", "\"/h/x/y/z\""),
        ("traces.endpoint = \"https://h:1/v1?a=b\"", "traces.endpoint", "\"https://h:1/v1?a=b\""),
        ("traces.endpoint = \"off\"", "traces.endpoint", "\"off\""),
        ("traces.sample = 0.50", "traces.sample", "0.5"),
        ("traces.sample = 1", "traces.sample", "1"),
        ("traces.headers = \"/a//b\"", "traces.headers", "\"/a/b\""),
        ("traces.headers = \"off\"", "traces.headers", "\"off\""),
        (
            "repositories.allow = [ # two\n \"/a//b/\",\n 'https://h/x', ]", "repositories.allow",
            "[\"/a/b\", \"https://h/x\"]"
        ),
        ("metrics.open = true", "metrics.open", "true"),
        ("\u{FEFF}retention.at = '23:59'\r\n", "retention.at", "\"23:59\""),
        ("data = \"\"\"\n/a\"\"\"", "data", "\"/a\""),
        ("data = \"\"\"\n/a\"\"\"\"\"", "data", "\"/a\\\"\\\"\""),
        ("data = \"\"\"/a\\\n  \t\r\n\n  b\"c\"\"\"", "data", "\"/ab\\\"c\""),
        ("data = '''/a\\'b'''", "data", "\"/a\\\\'b\""),
        ("data = \"/\\u00e9\\U0001F600\\\\\\\"\"", "data", "\"/é😀\\\\\\\"\""),
        ("\"da\\u0074a\" = '/a'", "data", "\"/a\""),
        ("'jobs' . \"limit\" = +1_0", "jobs.limit", "10"),
        ("jobs.limit = 0x1F", "jobs.limit", "31"), ("jobs.limit = 0o17", "jobs.limit", "15"),
        ("jobs.limit = 0b1_1", "jobs.limit", "3"),
    ])
    func `a value is read in each of its spellings`(
        line: String, name: String, written: String
    ) throws {
        let configuration = try Self.load(line)
        let key = try #require(ConfigurationKey.all.first { $0.name == name })
        #expect(key.written(configuration) == [name: written])
    }

    @Test func `what is printed is read as the same again`() throws {
        var configuration = try Self.load("[teams.\"a.b\"]\nweight = 3")
        configuration.repositories.allow = ["/a\"\\", "https://h"]
        let text = ConfigurationDocument.toml(configuration)
        var again = try Self.load(text)
        #expect(text.contains("[teams.\"a.b\"]\nweight = 3  # "))
        again.origins = configuration.origins
        #expect(again == configuration)
    }

    @Test func `each key has a variable and a flag that no other has`() throws {
        let keys = ConfigurationKey.all.filter { !$0.isNamed }
        #expect(Set(keys.map(\.variable)).count == keys.count)
        #expect(Set(keys.map(\.flag)).count == keys.count)
        let configuration = try MasterConfiguration.load(
            file: nil, environment: Self.home, flags: [])
        for key in keys {
            // A value as a person writes it in a variable: without the signs of TOML.
            let value = try #require(key.written(configuration)[key.name])
                .split { "[]\"".contains($0) }.joined()
            let byVariable = try MasterConfiguration.load(
                file: nil, environment: ["HOME": "/h", key.variable: value], flags: [])
            let byFlag = try MasterConfiguration.load(
                file: nil, environment: Self.home, flags: ["\(key.flag)=\(value)"])
            #expect(key.written(byVariable) == key.written(configuration))
            #expect(byVariable.origins == [key.name: key.variable])
            #expect(byFlag.origins == [key.name: key.flag])
        }
    }

    @Test func `variables of other parts of Danube are left alone`() throws {
        let environment = [
            "HOME": "/h", "DANUBE_SECRET_X": "1", "DANUBE_PYBRIDGE": "/x", "DANUBE_CONFIG": "y",
            "DANUBETTE": "z",
        ]
        _ = try MasterConfiguration.load(file: nil, environment: environment, flags: [])
    }

    @Test func `no message repeats what looks like a secret`() throws {
        let canaries = [
            "ghp_x7Canary", "https://user:hunter2Canary@host/", "sk-Canary",
            "canary1234567890canary1234567890", "-----BEGIN CANARY",
        ]
        for canary in canaries {
            let text = """
                token = "\(canary)"
                data = ["\(canary)"]
                jobs.limit = "\(canary)"
                repositories.allow = ["\(canary)"]
                ["\(canary)"]
                [teams."\(canary)"]
                weigth = 1
                """
            let told = try Self.problems(
                text, ["HOME": "/h", "DANUBE_JOBS_LIMIT": canary],
                ["--jobs-limit", canary, "--jobs-limits=\(canary)", canary])
            #expect(told.contains("jobs.limit") && told.contains("--jobs-limits"))
            #expect(!told.lowercased().contains("canary"), "\(told)")
            // The parser quotes what it cannot read.
            let broken = try Self.problems("password = \(canary)")
            #expect(!broken.isEmpty && !broken.lowercased().contains("canary"), "\(broken)")
        }
    }

    @Test func `a newer configuration is taken as far as a running master can`() throws {
        let old = try Self.load("jobs.active = 1\nhttp.listen = \"a:1\"\nteams.x.weight = 2")
        let new = try Self.load("jobs.active = 2\nhttp.listen = \"b:1\"\nteams.y.weight = 3")
        let (taken, left) = old.reloaded(from: new)
        #expect(taken.jobs.active == 2)
        #expect(taken.teams.mapValues(\.weight) == ["y": 3])
        #expect(taken.http.listen.host == "a")
        #expect(left == ["http.listen"])
        #expect(taken.origins["teams.x.weight"] == nil)
    }

    @Test func `at most a hundred problems are told`() throws {
        let text = (0..<150).map { "key\($0) = 1\n" }.joined()
        let told = try Self.problems(text)
        #expect(told.split(separator: "\n").filter { $0.contains("error:") }.count == 100)
        #expect(told.hasSuffix("and 50 more problems\n"))
    }
}
