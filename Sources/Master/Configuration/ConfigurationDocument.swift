/// Texts about the configuration, made from its schema.
package enum ConfigurationDocument {
    /// What stands before the tables of the page.
    private static let introduction = """
        # Configuration of the master

        Made from the schema in `Sources/Master/Configuration`; a test compares it.

        `danube master` needs no configuration. What is configured is read in this order, and \
        what comes later wins:

        1. the file: that of `--config FILE` or `DANUBE_CONFIG`, else `danube.toml` in the \
        folder where the master is started, when the file belongs to the same user or to root;
        2. variables: `http.listen` is `DANUBE_HTTP_LISTEN`;
        3. flags: `--http-listen VALUE` or `--http-listen=VALUE`.

        The file is [TOML](https://toml.io/en/v1.0.0), at most 1 MiB:

        ```toml
        data = "/srv/danube"

        [http]
        listen = "127.0.0.1:8420"

        [retention]
        logs = "14d"

        [teams.platform]
        weight = 2
        ```

        A key that does not exist, or a value that is not of the form of its key, is an error \
        with its place; all of them are told at once and the master does not start. \
        `danube master --check-config` does the same and prints the configuration that results \
        and where each value comes from.

        On SIGHUP the master reads everything again. Where there is an error, it goes on with \
        what it has. Keys that say *at start* below keep their values until the next start, \
        and the log names those that differ.

        A duration is numbers with `s`, `m`, `h` or `d` (`90s`, `1h30m`). A size is bytes, or \
        a number with `Ki`, `Mi`, `Gi`, `Ti` (powers of 1024) or `K`, `M`, `G`, `T` (of 1000). \
        A path is absolute, or begins at the folder of the file that has it (of a variable or \
        flag: where the master is started), or at home (`~/`); it has no `..`. A list in a \
        variable or flag has commas between its texts. Secrets have no place in the \
        configuration, and messages do not repeat what looks like one.

        ## Keys

        | key | form | default | read | |
        |---|---|---|---|---|

        """

    /// `docs/configuration/server.md`.
    package static func markdown() -> String {
        var text = introduction
        for key in ConfigurationKey.all {
            let read = key.reloads ? "also on SIGHUP" : "at start"
            text += "| `\(key.shownName)` | \(key.form) | \(key.defaultText) | \(read) |"
            text += " \(key.summary) |\n"
        }
        text += "\n## Variables and flags\n\n| key | variable | flag |\n|---|---|---|\n"
        for key in ConfigurationKey.all where !key.isNamed {
            text += "| `\(key.name)` | `\(key.variable)` | `\(key.flag)` |\n"
        }
        return text
    }

    /// The text of `--help`.
    package static func help() -> String {
        var text = """
            OVERVIEW: Serve: accept jobs, run them, keep their logs and artifacts.

            USAGE: danube master [--config FILE] [--check-config] [--KEY VALUE ...]

            COMMANDS: danube backup, danube restore, danube db check; each has --help.

            OPTIONS:
              --config FILE
                  The configuration file (DANUBE_CONFIG; default: danube.toml, if it is here).
              --check-config
                  Print the merged configuration, or all that is wrong with it, and end.
              -h, --help
                  Show this.

            KEYS:

            """
        for key in ConfigurationKey.all where !key.isNamed {
            let plain = key.defaultText.split(separator: "`").joined()
            let summary = key.summary.split(separator: "`").joined()
            text += "  \(key.flag) VALUE\n      \(summary)\n"
            text += "      \(key.form.split(separator: "`").joined()); default: \(plain)\n"
        }
        return text
    }

    /// A merged configuration as a `danube.toml`, with where each value comes from.
    package static func toml(_ configuration: MasterConfiguration) -> String {
        var tables: [(name: String, lines: [String])] = [("", [])]
        for key in ConfigurationKey.all {
            for (name, value) in key.written(configuration).sorted(by: { $0.key < $1.key }) {
                let parent = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? ""
                let own = name.dropFirst(parent.isEmpty ? 0 : parent.count + 1)
                let origin = configuration.origins[name] ?? "default"
                let line = "\(own) = \(value)  # \(origin)"
                if let place = tables.firstIndex(where: { $0.name == parent }) {
                    tables[place].lines.append(line)
                } else {
                    tables.append((parent, [line]))
                }
            }
        }
        return tables.map { table in
            (table.name.isEmpty ? "" : "[\(table.name)]\n")
                + table.lines.map { $0 + "\n" }.joined()
        }.joined(separator: "\n")
    }
}
