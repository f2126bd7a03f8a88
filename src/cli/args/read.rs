//! Arguments of `get` and `describe`.

use clap::{Args, ValueEnum};

/// `evenkeel get`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenkeel get                               everything
  evenkeel get vac                           all connectors
  evenkeel get vac/staging-connector -o yaml
  evenkeel get -w                            lines as they change

AGE is the time since Ready last flipped.")]
pub struct GetArgs {
    /// A kind (`vac`, `vpcaccessconnectors`), or KIND/NAME
    #[arg(value_name = "KIND")]
    pub kind: Option<String>,

    /// Names to show; all by default
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// Form of the output: table, wide, json or yaml
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    pub output: GetFormat,

    /// Go on, and print what changes
    #[arg(short, long)]
    pub watch: bool,
}

/// Form of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetFormat {
    Table,
    Wide,
    Json,
    Yaml,
}

/// `evenkeel describe`
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// KIND/NAME, or KIND NAME
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    pub object: Vec<String>,
}
